/*
 * scrubrow - see scrubrow.h.
 */
#include "common/ipc/scrubrow.h"

#include "common/core/id.h"

/* All rows have the same columns; what one has nothing for is empty. */
static void
begin(struct ctl_row *row, struct str log, const char *result)
{
	ctl_row_init(row);
	ctl_text(row, "log", log);
	ctl_text(row, "result", str_c(result));
}

static void
put_place(struct ctl_row *row, const char *record,
    const struct scrub_damage *d)
{
	ctl_text(row, "part", str_c(scrub_part_name(d->part)));
	ctl_num(row, "segment", d->pos.segment);
	ctl_num(row, "offset", d->pos.offset);
	ctl_text(row, "record", str_c(record == NULL ? "" : record));
	ctl_text(row, "id", record == NULL ? S("") :
	    str_c(id_text(d->id).s));
}

static void
put_no_place(struct ctl_row *row, struct str why)
{
	ctl_text(row, "part", why);
	ctl_text(row, "segment", S(""));
	ctl_text(row, "offset", S(""));
	ctl_text(row, "record", S(""));
	ctl_text(row, "id", S(""));
}

static void
put_no_counts(struct ctl_row *row)
{
	ctl_text(row, "segments", S(""));
	ctl_text(row, "records", S(""));
	ctl_text(row, "files", S(""));
	ctl_text(row, "bytes", S(""));
}

void
scrubrow_damage(const struct ctl_call *call, struct str log,
    const char *record, const struct scrub_damage *d)
{
	struct ctl_row row;

	begin(&row, log, "damage");
	put_place(&row, record, d);
	put_no_counts(&row);
	ctl_row_send(&row, call);
}

void
scrubrow_failed(const struct ctl_call *call, struct str log, struct str why)
{
	struct ctl_row row;

	begin(&row, log, "failed");
	put_no_place(&row, why);
	put_no_counts(&row);
	ctl_row_send(&row, call);
}

void
scrubrow_total(const struct ctl_call *call, struct str log,
    const struct scrub_counts *c)
{
	struct ctl_row row;

	begin(&row, log, c->damaged > 0 ? "damaged" : "sound");
	put_no_place(&row, S(""));
	ctl_num(&row, "segments", c->segments);
	ctl_num(&row, "records", c->records);
	ctl_num(&row, "files", c->files);
	ctl_num(&row, "bytes", c->bytes);
	ctl_row_send(&row, call);
}

/*
 * scrubrow - see scrubrow.h.
 */
#include "common/ipc/scrubrow.h"

#include "common/core/id.h"

void
scrubrow_damage(const struct ctl_call *call, struct str log,
    const char *record, const struct scrub_damage *d)
{
	struct ctl_row row;

	ctl_row_init(&row);
	ctl_text(&row, "log", log);
	ctl_text(&row, "result", S("damage"));
	ctl_num(&row, "segment", d->pos.segment);
	ctl_num(&row, "offset", d->pos.offset);
	ctl_text(&row, "part", str_c(scrub_part_name(d->part)));
	ctl_text(&row, "record", record == NULL ? S("") : str_c(record));
	ctl_text(&row, "id", record == NULL ? S("") :
	    str_c(id_text(d->id).s));
	ctl_text(&row, "segments", S(""));
	ctl_text(&row, "records", S(""));
	ctl_text(&row, "files", S(""));
	ctl_text(&row, "bytes", S(""));
	ctl_row_send(&row, call);
}

void
scrubrow_total(const struct ctl_call *call, struct str log,
    const struct scrub_counts *c)
{
	struct ctl_row row;

	ctl_row_init(&row);
	ctl_text(&row, "log", log);
	ctl_text(&row, "result", c->damaged > 0 ? S("damaged") : S("sound"));
	ctl_text(&row, "segment", S(""));
	ctl_text(&row, "offset", S(""));
	ctl_text(&row, "part", S(""));
	ctl_text(&row, "record", S(""));
	ctl_text(&row, "id", S(""));
	ctl_num(&row, "segments", c->segments);
	ctl_num(&row, "records", c->records);
	ctl_num(&row, "files", c->files);
	ctl_num(&row, "bytes", c->bytes);
	ctl_row_send(&row, call);
}

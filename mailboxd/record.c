/*
 * record - see record.h.  Pure.
 */
#include "mailboxd/record.h"

#include <assert.h>

/* -- sets of UIDs ----------------------------------------------------- */

static void
put_number(struct buf *b, uint32_t v)
{
	while (v >= 0x80) {
		buf_addc(b, (char)(v | 0x80));
		v >>= 7;
	}
	buf_addc(b, (char)v);
}

static int
take_number(struct str *s, uint32_t *v)
{
	uint64_t	n = 0;
	unsigned	shift;
	unsigned char	c;

	for (shift = 0; shift < 35; shift += 7) {
		if (s->n == 0)
			return -1;
		c = (unsigned char)s->p[0];
		*s = str_from(*s, 1);
		n |= (uint64_t)(c & 0x7f) << shift;
		if (c & 0x80)
			continue;
		if (n > UINT32_MAX)
			return -1;
		*v = (uint32_t)n;
		return 0;
	}
	return -1;
}

size_t
uids_add(struct buf *b, const uint32_t *uids, size_t n, size_t max)
{
	size_t		start = b->n, i = 0, k;
	uint32_t	last = 0;

	while (i < n && b->n - start + 10 <= max) {
		assert(uids[i] > last);
		for (k = i + 1; k < n && uids[k] == uids[k - 1] + 1; k++)
			continue;
		put_number(b, uids[i] - last);
		put_number(b, (uint32_t)(k - i - 1));
		last = uids[k - 1];
		i = k;
	}
	return i;
}

struct uids
uids_of(struct str s)
{
	return (struct uids){ .rest = s };
}

bool
uids_next(struct uids *u, uint32_t *lo, uint32_t *hi)
{
	uint32_t gap, more;

	if (u->rest.n == 0)
		return false;
	if (take_number(&u->rest, &gap) == -1 ||
	    take_number(&u->rest, &more) == -1 || gap == 0 ||
	    gap > UINT32_MAX - u->last ||
	    more > UINT32_MAX - u->last - gap) {
		u->rest = str_of("", 0);
		u->last = 0;
		return false;
	}
	*lo = u->last + gap;
	*hi = *lo + more;
	u->last = *hi;
	return true;
}

uint64_t
uids_count(struct str s)
{
	struct uids	u = uids_of(s);
	uint64_t	n = 0;
	uint32_t	lo, hi;

	while (uids_next(&u, &lo, &hi))
		n += (uint64_t)hi - lo + 1;
	return u.last == 0 ? 0 : n;
}

/* -- fields ----------------------------------------------------------- */

static struct str
take_uids(struct unpack *u)
{
	struct str s = unpack_str(u, RECORD_UIDS_MAX);

	if (uids_count(s) == 0)
		u->bad = true;
	return s;
}

#define U8(x)		pack_u8(b, r->x);
#define U16(x)		pack_u16(b, r->x);
#define U32(x)		pack_u32(b, r->x);
#define U64(x)		pack_u64(b, r->x);
#define STR(x, cap)	pack_str_max(b, r->x, cap);
#define RAW(x, cap)	pack_str_max(b, r->x, cap);
#define UIDS(x)		pack_str_max(b, r->x, RECORD_UIDS_MAX);
#define RECORD(TAG, tag, no, fields) \
static void \
pack_##tag(struct buf *b, const struct record_##tag *r) \
{ \
	fields \
}
#include "mailboxd/record.def"

#define U8(x)		r->x = unpack_u8(u);
#define U16(x)		r->x = unpack_u16(u);
#define U32(x)		r->x = unpack_u32(u);
#define U64(x)		r->x = unpack_u64(u);
#define STR(x, cap)	r->x = unpack_text(u, cap);
#define RAW(x, cap)	r->x = unpack_str(u, cap);
#define UIDS(x)		r->x = take_uids(u);
#define RECORD(TAG, tag, no, fields) \
static void \
unpack_##tag(struct unpack *u, struct record_##tag *r) \
{ \
	fields \
}
#include "mailboxd/record.def"

/* -- meaning ---------------------------------------------------------- */

enum { FLAGS_ALL = 31 };

static bool
message_ok(uint64_t folder, uint32_t uid, uint8_t flags)
{
	return folder != 0 && uid != 0 && flags <= FLAGS_ALL;
}

static bool
place_ok(uint8_t place, struct str hash)
{
	return place <= BODY_FILE &&
	    hash.n == (place == BODY_FILE ? HASH_LEN : 0);
}

static bool
body_ok(const struct record_message *r)
{
	return place_ok(r->place, r->hash) && r->length <= UINT32_MAX &&
	    r->length + r->trace.n == r->size;
}

static bool
words_ok(struct str words)
{
	struct unpack	u = unpack_of(words);
	unsigned	n;

	for (n = 0; n < STORE_KEYWORDS_MAX && u.s.n > 0 && !u.bad; n++) {
		if (unpack_text(&u, STORE_KEYWORD_MAX).n == 0)
			u.bad = true;
	}
	return unpack_done(&u);
}

static bool
is_sound(const struct record *r)
{
	switch (r->type) {
	case REC_MESSAGE:
		return message_ok(r->message.folder, r->message.uid,
		    r->message.flags) && body_ok(&r->message);
	case REC_FLAGS:
		return r->flags.folder != 0 && r->flags.flags <= FLAGS_ALL &&
		    r->flags.how <= STORE_REMOVE;
	case REC_EXPUNGE:
		return r->expunge.folder != 0;
	case REC_COPY:
		return r->copy.folder != 0 && r->copy.to != 0 &&
		    r->copy.uid != 0;
	case REC_FOLDER:
		return r->folder.folder != 0 && r->folder.name.n > 0;
	case REC_RENAME:
		return r->rename.folder != 0 && r->rename.name.n > 0;
	case REC_REMOVE:
		return r->remove.folder != 0;
	case REC_SUBSCRIBE:
		return r->subscribe.on <= 1 && r->subscribe.name.n > 0;
	case REC_KEYWORD:
		return r->keyword.folder != 0 && r->keyword.word.n > 0 &&
		    r->keyword.number < STORE_KEYWORDS_MAX;
	case REC_RECENT:
		return r->recent.folder != 0 && r->recent.uid != 0;
	case REC_BODY:
		return place_ok(r->body.place, r->body.hash) &&
		    r->body.coding <= CODING_ZSTD &&
		    r->body.length <= UINT32_MAX;
	case REC_DELIVERED:
	case REC_COUNTERS:
	case REC_ROW_SNAPSHOT:
	case REC_SNAPSHOT_BEGIN:
	case REC_SNAPSHOT_END:
		return true;
	case REC_SNAPSHOT_ROWS:
		return r->snapshot_rows.coding <= CODING_ZSTD &&
		    r->snapshot_rows.rows > 0 &&
		    r->snapshot_rows.length <= RECORD_RUN_MAX;
	case REC_ROW_FOLDER:
		return r->row_folder.folder != 0 &&
		    r->row_folder.uidnext != 0 &&
		    r->row_folder.name.n > 0 && words_ok(r->row_folder.words);
	case REC_ROW_MESSAGE:
		return message_ok(r->row_message.folder, r->row_message.uid,
		    r->row_message.flags);
	case REC_ROW_BODY:
		return place_ok(r->row_body.place, r->row_body.hash) &&
		    r->row_body.coding <= CODING_ZSTD &&
		    r->row_body.length <= UINT32_MAX;
	}
	return false;
}

int
record_decode(uint8_t type, struct str meta, struct record *r)
{
	struct unpack u = unpack_of(meta);

	*r = (struct record){ .type = type };
	switch (r->type) {
#define RECORD(TAG, tag, no, fields) \
	case REC_##TAG: \
		unpack_##tag(&u, &r->tag); \
		break;
#include "mailboxd/record.def"
	}
	if (!unpack_done(&u) || !is_sound(r))
		return -1;
	return 0;
}

void
record_encode(struct buf *b, const struct record *r)
{
	assert(is_sound(r));
	switch (r->type) {
#define RECORD(TAG, tag, no, fields) \
	case REC_##TAG: \
		pack_##tag(b, &r->tag); \
		return;
#include "mailboxd/record.def"
	}
}

const char *
record_name(uint8_t type)
{
	switch ((enum record_type)type) {
#define RECORD(TAG, tag, no, fields) \
	case REC_##TAG: \
		return #tag;
#include "mailboxd/record.def"
	}
	return "?";
}

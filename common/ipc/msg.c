/*
 * msg - see msg.h.  Pure.  The functions are made from msg.def: one pair of
 * pack and unpack for each record and each message.
 */
#include "common/ipc/msg.h"

#include <assert.h>
#include <string.h>

/* -- fields ----------------------------------------------------------- */

static void
put_list(struct buf *b, struct msg_list l, uint32_t most)
{
	assert(l.n <= most);
	pack_u32(b, l.n);
	pack_str(b, l.raw);
}

/* -- packing ---------------------------------------------------------- */

#define U8(x)		pack_u8(b, m->x);
#define U16(x)		pack_u16(b, m->x);
#define U32(x)		pack_u32(b, m->x);
#define U64(x)		pack_u64(b, m->x);
#define STR(x, cap)	pack_str_max(b, m->x, cap);
#define BYTES(x, cap)	pack_str_max(b, m->x, cap);
#define LIST(x, rec, most) put_list(b, m->x, most);
#define REC(tag, fields) \
static void \
pack_rec_##tag(struct buf *b, const struct rec_##tag *m) \
{ \
	fields \
} \
void \
rec_add_##tag(struct buf *b, uint32_t *n, const struct rec_##tag *r) \
{ \
	pack_rec_##tag(b, r); \
	(*n)++; \
}
#define MSG(TAG, tag, no, from, to, fd, fields) \
static void \
pack_msg_##tag(struct buf *b, const struct msg_##tag *m) \
{ \
	fields \
}
#include "common/ipc/msg.def"

/* -- unpacking -------------------------------------------------------- */

#define U8(x)		m->x = unpack_u8(u);
#define U16(x)		m->x = unpack_u16(u);
#define U32(x)		m->x = unpack_u32(u);
#define U64(x)		m->x = unpack_u64(u);
#define STR(x, cap)	m->x = unpack_text(u, cap);
#define BYTES(x, cap)	m->x = unpack_str(u, cap);
#define LIST(x, rec, most)
#define REC(tag, fields) \
static void \
unpack_rec_##tag(struct unpack *u, struct rec_##tag *m) \
{ \
	fields \
} \
bool \
rec_next_##tag(struct msg_list *l, struct rec_##tag *r) \
{ \
	struct unpack u = unpack_of(l->raw); \
 \
	if (l->n == 0) \
		return false; \
	unpack_rec_##tag(&u, r); \
	assert(!u.bad); \
	l->raw = u.s; \
	l->n--; \
	return true; \
} \
static struct msg_list \
take_list_##tag(struct unpack *u, uint32_t most) \
{ \
	struct msg_list		l; \
	struct rec_##tag	r; \
	struct unpack		in; \
	uint32_t		i; \
 \
	l.n = unpack_u32(u); \
	l.raw = unpack_str(u, MSG_PACKET_MAX); \
	in = unpack_of(l.raw); \
	if (l.n > most) \
		u->bad = true; \
	for (i = 0; i < l.n && !u->bad && !in.bad; i++) \
		unpack_rec_##tag(&in, &r); \
	if (!unpack_done(&in)) \
		u->bad = true; \
	return l; \
}
#define MSG(TAG, tag, no, from, to, fd, fields)
#include "common/ipc/msg.def"

#define U8(x)		m->x = unpack_u8(u);
#define U16(x)		m->x = unpack_u16(u);
#define U32(x)		m->x = unpack_u32(u);
#define U64(x)		m->x = unpack_u64(u);
#define STR(x, cap)	m->x = unpack_text(u, cap);
#define BYTES(x, cap)	m->x = unpack_str(u, cap);
#define LIST(x, rec, most) m->x = take_list_##rec(u, most);
#define REC(tag, fields)
#define MSG(TAG, tag, no, from, to, fd, fields) \
static void \
unpack_msg_##tag(struct unpack *u, struct msg_##tag *m) \
{ \
	fields \
}
#include "common/ipc/msg.def"

/* -- the table -------------------------------------------------------- */

static const struct row {
	enum msg_type	 type;
	const char	*name;
	unsigned	 from, to;
	int		 fds;
} rows[] = {
#define REC(tag, fields)
#define MSG(TAG, tag, no, from, to, fd, fields) \
	{ MSG_##TAG, #tag, from, to, fd },
#include "common/ipc/msg.def"
};

static const struct row *
find_row(unsigned type)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if ((unsigned)rows[i].type == type)
			return &rows[i];
	}
	return NULL;
}

const char *
msg_name(enum msg_type type)
{
	const struct row *r = find_row(type);

	return r == NULL ? "?" : r->name;
}

int
msg_fds(enum msg_type type)
{
	const struct row *r = find_row(type);

	return r == NULL ? 0 : r->fds;
}

const char *
role_name(enum role role)
{
	switch (role) {
	case R_SMTPD:
		return "smtpd";
	case R_QUEUED:
		return "queued";
	case R_ROUTE:
		return "route";
	case R_LOCAL:
		return "local";
	case R_IMAPD:
		return "imapd";
	case R_POP3D:
		return "pop3d";
	case R_MAILBOXD:
		return "mailboxd";
	case R_ZYGOTE:
		return "zygote";
	case R_OWNER:
		return "owner";
	case R_AUTHD:
		return "authd";
	case R_MAILCTL:
		return "mailctl";
	case R_STARTER:
		return "postern";
	}
	return "?";
}

/* -- messages --------------------------------------------------------- */

void
msg_encode(struct buf *b, const struct msg *m)
{
	size_t at = b->n;

	pack_u16(b, (uint16_t)m->type);
	pack_u16(b, 0);
	pack_u32(b, 0);
	switch (m->type) {
#define REC(tag, fields)
#define MSG(TAG, tag, no, from, to, fd, fields) \
	case MSG_##TAG: \
		pack_msg_##tag(b, &m->tag); \
		break;
#include "common/ipc/msg.def"
	}
	if (buf_ok(b))
		put_u32(b->p + b->at + at + 4,
		    (uint32_t)(b->n - at - MSG_HEADER));
}

static void
unpack_body(struct unpack *u, struct msg *m)
{
	switch (m->type) {
#define REC(tag, fields)
#define MSG(TAG, tag, no, from, to, fd, fields) \
	case MSG_##TAG: \
		unpack_msg_##tag(u, &m->tag); \
		break;
#include "common/ipc/msg.def"
	}
}

int
msg_decode(struct str *packet, enum role from, enum role to, struct msg *m)
{
	struct unpack		 u = unpack_of(*packet), body;
	const struct row	*r;
	unsigned		 type;
	uint32_t		 n;

	type = unpack_u16(&u);
	if (unpack_u16(&u) != 0)
		return -1;
	n = unpack_u32(&u);
	body = unpack_of(unpack_bytes(&u, n));
	r = find_row(type);
	if (u.bad || r == NULL || (r->from & from) == 0 || (r->to & to) == 0)
		return -1;
	memset(m, 0, sizeof(*m));
	m->type = r->type;
	unpack_body(&body, m);
	if (!unpack_done(&body))
		return -1;
	*packet = u.s;
	return 0;
}

struct msg_list
msg_list_of(const struct buf *b, uint32_t n)
{
	return (struct msg_list){ buf_str(b), n };
}

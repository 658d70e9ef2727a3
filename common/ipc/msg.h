/*
 * msg - the messages between daemons (msg.def): structs, codec, names.
 *
 * A packet is a row of messages {u16 type, u16 zero, u32 length, fields}.
 * Decoding borrows from the packet: strs and lists live as long as it does.
 * The decoder refuses an unknown type, the wrong direction, a field over its
 * cap, a NUL in text, a list over its length, and bytes left over.  Whoever
 * sends such a thing is a compromised peer: drop it.
 */
#ifndef IPC_MSG_H
#define IPC_MSG_H

#include "common/core/pack.h"

enum role {
	R_SMTPD = 1 << 0,
	R_QUEUED = 1 << 1,
	R_ROUTE = 1 << 2,
	R_LOCAL = 1 << 3,
	R_IMAPD = 1 << 4,
	R_POP3D = 1 << 5,
	R_MAILBOXD = 1 << 6,	/* the monitor */
	R_ZYGOTE = 1 << 7,
	R_OWNER = 1 << 8,
	R_AUTHD = 1 << 9,
	R_MAILCTL = 1 << 10,
	R_STARTER = 1 << 11
};

enum {
	MSG_HEADER = 8,
	MSG_HASH = 32,			/* BLAKE2b-256 of a content */
	MSG_PACKET_MAX = 128 * 1024,
	MSG_MAX = 96 * 1024		/* one message full to its caps */
};

/* The body of the frame UNAVAILABLE: why an owner lets nobody in. */
enum unavailable {
	UNAVAILABLE_NOW = 0,
	UNAVAILABLE_IN_USE = 1	/* another session has it alone */
};

/* LOOKED_UP */
enum lookup_verdict {
	LOOKUP_OK,
	LOOKUP_UNKNOWN,		/* our domain, nobody there */
	LOOKUP_FOREIGN,		/* not our domain */
	LOOKUP_TEMP,
	LOOKUP_NEAR,		/* ours, and nearly full */
	LOOKUP_OVER		/* ours, and without room for it */
};

/* LOGIN, tickets, OWNER_SESSION */
enum service {
	SERVICE_SUBMISSION = 1,
	SERVICE_IMAP = 2,
	SERVICE_POP3 = 3
};

enum login_verdict {
	LOGIN_OK,
	LOGIN_BAD,
	LOGIN_TEMP
};

enum route_kind {
	ROUTE_MAILBOX,		/* mailbox, tenant, shard are set */
	ROUTE_ADDRESS,		/* an alias: a further target, to be routed */
	ROUTE_UNKNOWN,
	ROUTE_FOREIGN,
	ROUTE_TEMP,
	ROUTE_FLOOD		/* it leads to more than the message may */
};

enum submit_right {
	RIGHT_MX,		/* to our own recipients only */
	RIGHT_TICKET
};

enum submit_verdict {
	SUBMIT_OK,
	SUBMIT_FULL,		/* disk reserve or queue limit */
	SUBMIT_TEMP,
	SUBMIT_DENIED		/* the ticket does not hold: another may */
};

enum queue_state {
	QUEUE_OPEN,
	QUEUE_CLOSED		/* disk below its reserve, or queue full */
};

/* What the zygote forks. */
enum owner_kind {
	OWNER_PROCESS,
	OWNER_HELPER		/* of one: for large bodies */
};

enum job_status {
	JOB_DONE,
	JOB_TEMP,
	JOB_PERM
};

enum column_kind {
	COLUMN_TEXT,
	COLUMN_NUMBER,		/* without quotes */
	COLUMN_LIST		/* texts with a newline between them */
};

enum ctl_status {		/* mailctl's exit code follows from it */
	CTL_OK,
	CTL_FAILED,
	CTL_USAGE,
	CTL_NOT_FOUND,
	CTL_REFUSED
};

enum ctl_verb {
#define CTL(VERB, no, words, daemon, least, most, args) CTL_##VERB = no,
#include "common/ipc/ctl.def"
};

/* n elements in encoded form; read them with rec_next_TAG. */
struct msg_list {
	struct str	raw;
	uint32_t	n;
};

#define U8(x)		uint8_t x;
#define U16(x)		uint16_t x;
#define U32(x)		uint32_t x;
#define U64(x)		uint64_t x;
#define STR(x, cap)	struct str x;
#define BYTES(x, cap)	struct str x;
#define LIST(x, rec, most) struct msg_list x;
#define REC(tag, fields) struct rec_##tag { fields };
#define MSG(TAG, tag, no, from, to, fd, fields) struct msg_##tag { fields };
#include "common/ipc/msg.def"

enum msg_type {
#define REC(tag, fields)
#define MSG(TAG, tag, no, from, to, fd, fields) MSG_##TAG = no,
#include "common/ipc/msg.def"
};

struct msg {
	enum msg_type	type;
	union {
#define REC(tag, fields)
#define MSG(TAG, tag, no, from, to, fd, fields) struct msg_##tag tag;
#include "common/ipc/msg.def"
	};
};

/* "login", or "?" */
const char	*msg_name(enum msg_type);
const char	*role_name(enum role);
/* 0, 1, or 2 for "may". */
int		 msg_fds(enum msg_type);

/*
 * Takes the first message off *packet.  0; -1 when it is refused, or is not
 * one that `from` sends to `to`.
 */
int		 msg_decode(struct str *packet, enum role from, enum role to,
		    struct msg *);
/* Appends it; a field over its cap is a bug of ours (assert). */
void		 msg_encode(struct buf *, const struct msg *);

/*
 * rec_add_TAG appends an element to a list under construction, whose bytes
 * are in a buf of the caller's; msg_list_of makes the field of it.
 * rec_next_TAG takes the next element off a list; false at the end.
 */
#define REC(tag, fields) \
	void	rec_add_##tag(struct buf *, uint32_t *n, \
		    const struct rec_##tag *); \
	bool	rec_next_##tag(struct msg_list *, struct rec_##tag *);
#define MSG(TAG, tag, no, from, to, fd, fields)
#define U8(x)
#define U16(x)
#define U32(x)
#define U64(x)
#define STR(x, cap)
#define BYTES(x, cap)
#define LIST(x, rec, most)
#include "common/ipc/msg.def"

struct msg_list	 msg_list_of(const struct buf *, uint32_t n);

#endif

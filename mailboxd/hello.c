/*
 * hello - see hello.h.
 */
#include "mailboxd/hello.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/xalloc.h"
#include "common/ipc/frame.h"
#include "common/ipc/ticket.h"
#include "common/net/listen.h"
#include "common/net/stream.h"
#include "mailboxd/monitor.h"

enum {
	HELLO_MS = 5000,	/* from connection to HELLO, and for a key */
	DOORS_MAX = 4,
	KNOCKS_MAX = 512	/* at a door; a front tries again */
};

struct door {
	struct listener		*listener;
	enum service		 service;	/* who comes in by it */
	unsigned		 knocks;
};

/* A connection that has not been let in yet. */
struct knock {
	TAILQ_ENTRY(knock)	 next;
	struct door		*door;
	struct stream		*stream;
	struct loop_timer	*deadline;
	uint64_t		 sid;		/* that it claimed */
	bool			 waits;		/* for a key */
	bool			 given;		/* the owner has it */
	bool			 over;
};

static struct {
	TAILQ_HEAD(, knock)	 knocks;
	struct door		 door[DOORS_MAX];
	unsigned		 ndoors;
	struct ticket_keys	 keys;
	struct ticket_replays	*replays;
} hl;

void
hello_refuse(int fd, enum unavailable why)
{
	struct buf b;

	buf_init(&b, 64);
	frame_add_unavailable(&b, why);
	/* It sent one frame and got none: there is room. */
	(void)!send(fd, buf_cstr(&b), b.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_clear(&b);
	close(fd);
}

static void
end(struct knock *k)
{
	if (k->over)
		return;
	k->over = true;
	/* No goodbye on a socket that is another's now. */
	stream_close(k->stream, !k->given);
	loop_again();
}

static void
refuse(struct knock *k, const char *why)
{
	struct buf b;

	log_often(LOG_WARN, "hello refused", L_SID(k->sid), L_Z("why", why));
	buf_init(&b, 64);
	frame_add_unavailable(&b, UNAVAILABLE_NOW);
	stream_write(k->stream, buf_str(&b));
	buf_clear(&b);
	end(k);
}

static void
let_in(struct knock *k, const struct hello *h, const struct ticket *t)
{
	int fd = fcntl(stream_fd(k->stream), F_DUPFD_CLOEXEC, 3);

	if (fd == -1) {
		refuse(k, "out of descriptors");
		return;
	}
	monitor_work(&(struct work_for){
		.mailbox = t->mailbox,
		.tenant = t->tenant,
		.shard = t->shard,
		.fd = fd,
		.service = (unsigned)t->service,
		.sid = h->sid,
		.user = str_c(t->user),
		.client = h->client,
	});
	k->given = true;
	end(k);
}

/* What a front claims against what authd sealed. */
static const char *
compare(const struct knock *k, const struct hello *h, const struct ticket *t)
{
	if (t->kind != TICKET_LOGIN)
		return "not a ticket for a login";
	if (h->service != k->door->service || t->service != k->door->service)
		return "another service";
	if (t->sid != h->sid)
		return "another connection's";
	if (h->resume.n > 0)
		return "nothing is parked here";
	return NULL;
}

static void
check(struct knock *k, const struct hello *h)
{
	struct ticket	 t;
	const char	*why;

	k->sid = h->sid;
	k->waits = false;
	switch (ticket_open(&hl.keys, h->ticket, clock_wall(), &t)) {
	case TICKET_GOOD:
		break;
	case TICKET_UNKNOWN:
		/* Perhaps of an authd whose key has not come here yet. */
		k->waits = true;
		return;
	case TICKET_FORGED:
		refuse(k, "forged");
		return;
	case TICKET_EXPIRED:
		refuse(k, "expired");
		return;
	case TICKET_REPLAYED:
		refuse(k, "replayed");
		return;
	}
	why = compare(k, h, &t);
	if (why != NULL)
		refuse(k, why);
	else if (ticket_once(hl.replays, &t, clock_wall()) != TICKET_GOOD)
		refuse(k, "replayed");
	else
		let_in(k, h, &t);
	explicit_bzero(&t, sizeof(t));
}

static void
look(struct knock *k)
{
	struct buf	*in = stream_in(k->stream);
	struct frame	 f;
	struct hello	 h;
	size_t		 used;

	switch (frame_next(buf_str(in), &f, &used)) {
	case FRAME_MORE:
		return;
	case FRAME_BAD:
		break;
	case FRAME_GOT:
		/* A front waits for its answer: nothing may be behind it. */
		if (f.type == FRAME_HELLO && used == in->n &&
		    hello_parse(f.body, &h) == 0) {
			check(k, &h);
			return;
		}
		break;
	}
	log_often(LOG_WARN, "malformed hello",
	    L_Z("service", k->door->service == SERVICE_IMAP ? "imap" : "pop3"));
	end(k);
}

void
hello_key(uint32_t kid, struct str key)
{
	struct knock *k;

	ticket_keys_add(&hl.keys, kid, key);
	TAILQ_FOREACH(k, &hl.knocks, next) {
		if (k->waits && !k->over)
			look(k);
	}
}

static void
on_deadline(void *arg)
{
	struct knock *k = arg;

	if (k->waits)
		refuse(k, "of a key that did not come");
	else
		end(k);
}

static void
on_stream(struct stream *s, enum stream_event ev, void *arg)
{
	struct knock *k = arg;

	(void)s;
	if (k->over)
		return;
	switch (ev) {
	case STREAM_DATA:
		look(k);
		return;
	case STREAM_ROOM:
		return;
	case STREAM_EOF:
	case STREAM_FAILED:
		end(k);
		return;
	}
}

static void
on_knock(void *arg, int fd, struct str address)
{
	struct door	*d = arg;
	struct knock	*k;

	(void)address;
	if (d->knocks == KNOCKS_MAX) {
		close(fd);
		return;
	}
	d->knocks++;
	k = xcalloc(1, sizeof(*k));
	k->door = d;
	k->stream = stream_new(fd, on_stream, k);
	k->deadline = loop_timer(on_deadline, k);
	loop_timer_set(k->deadline, HELLO_MS);
	TAILQ_INSERT_TAIL(&hl.knocks, k, next);
}

/*
 * At the end of a turn, so that a key or the end of authd which came in it
 * has been seen; what has not been read yet brings another turn.
 */
static void
settle(void)
{
	struct knock *k;

	TAILQ_FOREACH(k, &hl.knocks, next) {
		if (!k->waits || k->over)
			continue;
		if (!monitor_has_keys())
			return;
		refuse(k, "of no key of authd's");
	}
}

static void
reap(void *arg)
{
	struct knock *k, *after;

	(void)arg;
	settle();
	for (k = TAILQ_FIRST(&hl.knocks); k != NULL; k = after) {
		after = TAILQ_NEXT(k, next);
		if (!k->over)
			continue;
		TAILQ_REMOVE(&hl.knocks, k, next);
		k->door->knocks--;
		loop_timer_free(k->deadline);
		free(k);
	}
}

void
hello_init(void)
{
	TAILQ_INIT(&hl.knocks);
	hl.replays = ticket_replays_new();
	loop_hook(reap, NULL);
}

void
hello_listen(int fd, enum service service)
{
	struct door *d = &hl.door[hl.ndoors];

	if (hl.ndoors == DOORS_MAX)
		fatalx("too many doors");
	d->service = service;
	d->listener = listen_new(fd, on_knock, d);
	hl.ndoors++;
}

void
hello_stop(void)
{
	while (hl.ndoors > 0)
		listen_free(hl.door[--hl.ndoors].listener);
}

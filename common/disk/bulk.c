/*
 * bulk - see bulk.h.  Here: asking.
 */
#include "common/disk/bulk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/xalloc.h"
#include "common/disk/bulk_int.h"

struct request {
	TAILQ_ENTRY(request)	 next;
	struct bulk_packet	 p;
	bulk_fn			*fn;	/* NULL: nobody wants to know */
	void			*arg;
};
TAILQ_HEAD(requests, request);

struct bulk {
	int		 sock;		/* -1: there is no helper */
	struct loop_fd	*watch;
	struct requests	 out;		/* to be sent */
	struct requests	 sent;		/* to be answered, in this order */
	uint64_t	 last;		/* number of a request */
	void		(*need)(void *);
	void		*arg;
};

struct bulk *
bulk_new(void (*need)(void *), void *arg)
{
	struct bulk *b = xcalloc(1, sizeof(*b));

	b->sock = -1;
	b->need = need;
	b->arg = arg;
	TAILQ_INIT(&b->out);
	TAILQ_INIT(&b->sent);
	return b;
}

static void
free_all(struct requests *l)
{
	struct request *r;

	while ((r = TAILQ_FIRST(l)) != NULL) {
		TAILQ_REMOVE(l, r, next);
		free(r);
	}
}

bool
bulk_is_idle(const struct bulk *b)
{
	return TAILQ_EMPTY(&b->out) && TAILQ_EMPTY(&b->sent);
}

static void
hang_up(struct bulk *b)
{
	loop_unwatch(b->watch);
	b->watch = NULL;
	if (b->sock != -1) {
		/* The helper sees the end also when somebody has a copy. */
		shutdown(b->sock, SHUT_RDWR);
		close(b->sock);
	}
	b->sock = -1;
}

void
bulk_free(struct bulk *b)
{
	if (b == NULL)
		return;
	hang_up(b);
	free_all(&b->out);
	free_all(&b->sent);
	free(b);
}

/* -- requests ------------------------------------------------------------ */

static void
want(struct bulk *b)
{
	if (b->watch != NULL)
		loop_want(b->watch, TAILQ_EMPTY(&b->out) ? LOOP_READ :
		    LOOP_READ | LOOP_WRITE);
}

/* An end that is gone is found out by reading. */
static void
send_out(struct bulk *b)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&b->out)) != NULL && b->sock != -1) {
		if (send(b->sock, &r->p, sizeof(r->p),
		    MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
			break;
		TAILQ_REMOVE(&b->out, r, next);
		TAILQ_INSERT_TAIL(&b->sent, r, next);
	}
	want(b);
}

void
bulk_ask(struct bulk *b, const struct bulk_ask *a, bulk_fn *fn, void *arg)
{
	struct request *r = xcalloc(1, sizeof(*r));

	r->p = (struct bulk_packet){ .number = ++b->last, .id = a->id,
	    .size = a->size, .op = a->op };
	if (a->hash != NULL)
		memcpy(r->p.hash, a->hash, HASH_LEN);
	r->fn = fn;
	r->arg = arg;
	TAILQ_INSERT_TAIL(&b->out, r, next);
	if (b->sock != -1)
		send_out(b);
	else if (b->need != NULL)
		b->need(b->arg);
}

static void
forget(struct requests *l, const void *arg)
{
	struct request *r;

	TAILQ_FOREACH(r, l, next) {
		if (r->arg == arg)
			r->fn = NULL;
	}
}

void
bulk_forget(struct bulk *b, const void *arg)
{
	forget(&b->out, arg);
	forget(&b->sent, arg);
}

static void
end(struct requests *l, struct request *r, int error)
{
	TAILQ_REMOVE(l, r, next);
	if (r->fn != NULL)
		r->fn(r->arg, r->p.id, error);
	free(r);
}

void
bulk_fail(struct bulk *b, int error)
{
	uint64_t	 last = b->last;
	struct request	*r;

	TAILQ_CONCAT(&b->sent, &b->out, next);
	/* Who is told may ask for more, which is not to fail. */
	/* NOLINTNEXTLINE: TAILQ_REMOVE took the freed one out. */
	while ((r = TAILQ_FIRST(&b->sent)) != NULL && r->p.number <= last)
		end(&b->sent, r, error);
}

/* -- answers ------------------------------------------------------------- */

static void
on_end(struct bulk *b)
{
	if (b->need == NULL)
		fatalx("the bulk helper has ended");
	hang_up(b);
	if (!bulk_is_idle(b))
		log_error("the bulk helper has ended");
	bulk_fail(b, EPIPE);
}

static void
on_ready(void *arg, int events)
{
	struct bulk		*b = arg;
	struct bulk_packet	 p;
	struct request		*r;
	ssize_t			 n;

	if ((events & LOOP_WRITE) != 0)
		send_out(b);
	while (b->sock != -1) {
		n = recv(b->sock, &p, sizeof(p), MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		r = TAILQ_FIRST(&b->sent);
		/* NOLINTNEXTLINE: TAILQ_REMOVE took the freed one out. */
		if (n != sizeof(p) || r == NULL || p.number != r->p.number) {
			on_end(b);
			return;
		}
		end(&b->sent, r, p.error);
	}
}

void
bulk_watch(struct bulk *b)
{
	b->watch = loop_watch(b->sock, LOOP_READ, on_ready, b);
	want(b);
}

void
bulk_attach(struct bulk *b, int sock)
{
	hang_up(b);
	b->sock = sock;
	if (b->need != NULL)
		bulk_watch(b);
	send_out(b);
}

void
bulk_detach(struct bulk *b)
{
	if (bulk_is_idle(b))
		hang_up(b);
}

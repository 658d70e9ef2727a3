/*
 * loop - see loop.h.
 */
#include "common/core/loop.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/time.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"

enum {
	HOOKS_MAX = 16,
	SIGNALS_MAX = 8,
	LOG_MS = 100		/* between tries of a log that does not move */
};

struct loop_fd {
	struct event	*ev;
	int		 fd, want;
	loop_fd_fn	*fn;
	void		*arg;
};

struct loop_timer {
	struct event	*ev;
	loop_fn		*fn;
	void		*arg;
};

struct hook {
	loop_fn	*fn;
	void	*arg;
};

static struct {
	struct event_base	*base;
	struct event		*limit;		/* of a turn's wait */
	struct hook		 hooks[HOOKS_MAX];
	struct hook		 signals[SIGNALS_MAX];
	struct event		*signal_ev[SIGNALS_MAX];
	size_t			 nhooks, nsignals;
	bool			 stop, again;
} lp;

static void
on_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

void
loop_init(void)
{
	struct event_config *cfg = event_config_new();

	if (cfg == NULL)
		fatal("event loop");
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK |
	    EVENT_BASE_FLAG_IGNORE_ENV);
	lp.base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (lp.base == NULL)
		fatal("event loop");
	lp.limit = event_new(lp.base, -1, 0, on_limit, NULL);
	if (lp.limit == NULL)
		fatal("event loop");
	lp.stop = false;
	lp.again = false;
}

static void
run_hooks(void)
{
	size_t i;

	lp.again = false;
	for (i = 0; i < lp.nhooks; i++)
		lp.hooks[i].fn(lp.hooks[i].arg);
	log_flush();
}

int
loop_turn(int ms)
{
	struct timeval	tv = { ms / 1000, ms % 1000 * 1000 };
	int		flags = EVLOOP_ONCE, rc;

	if (lp.again || ms == 0)
		flags |= EVLOOP_NONBLOCK;
	else if (ms > 0)
		event_add(lp.limit, &tv);
	rc = event_base_loop(lp.base, flags);
	event_del(lp.limit);
	if (rc == -1)
		return -1;
	clock_tick();
	run_hooks();
	return 0;
}

int
loop_run(void)
{
	/* What start-up left to do must not wait for a first event. */
	clock_tick();
	run_hooks();
	while (!lp.stop) {
		if (loop_turn(log_is_behind() ? LOG_MS : -1) == -1)
			return -1;
	}
	log_flush();
	return 0;
}

void
loop_stop(void)
{
	lp.stop = true;
	event_base_loopbreak(lp.base);
}

void
loop_free(void)
{
	size_t i;

	for (i = 0; i < lp.nsignals; i++)
		event_free(lp.signal_ev[i]);
	lp.nsignals = 0;
	lp.nhooks = 0;
	event_free(lp.limit);
	event_base_free(lp.base);
	lp.base = NULL;
}

static void
on_fd(evutil_socket_t fd, short what, void *arg)
{
	struct loop_fd	*w = arg;
	int		 events = 0;

	(void)fd;
	if ((what & EV_READ) != 0)
		events |= LOOP_READ;
	if ((what & EV_WRITE) != 0)
		events |= LOOP_WRITE;
	clock_tick();
	w->fn(w->arg, events);
}

static void
arm(struct loop_fd *w)
{
	short what = EV_PERSIST;

	if ((w->want & LOOP_READ) != 0)
		what |= EV_READ;
	if ((w->want & LOOP_WRITE) != 0)
		what |= EV_WRITE;
	if (w->want == 0)
		return;
	if (event_assign(w->ev, lp.base, w->fd, what, on_fd, w) == -1 ||
	    event_add(w->ev, NULL) == -1)
		fatal("watch descriptor %d", w->fd);
}

struct loop_fd *
loop_watch(int fd, int events, loop_fd_fn *fn, void *arg)
{
	struct loop_fd *w = xcalloc(1, sizeof(*w));

	*w = (struct loop_fd){ .fd = fd, .want = events, .fn = fn, .arg = arg };
	w->ev = event_new(lp.base, fd, 0, on_fd, w);
	if (w->ev == NULL)
		fatal("watch descriptor %d", fd);
	arm(w);
	return w;
}

void
loop_want(struct loop_fd *w, int events)
{
	if (w->want == events)
		return;
	event_del(w->ev);
	w->want = events;
	arm(w);
}

void
loop_unwatch(struct loop_fd *w)
{
	if (w == NULL)
		return;
	event_free(w->ev);
	free(w);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;

	(void)fd;
	(void)what;
	clock_tick();
	t->fn(t->arg);
}

struct loop_timer *
loop_timer(loop_fn *fn, void *arg)
{
	struct loop_timer *t = xcalloc(1, sizeof(*t));

	*t = (struct loop_timer){ .fn = fn, .arg = arg };
	t->ev = event_new(lp.base, -1, 0, on_timer, t);
	if (t->ev == NULL)
		fatal("timer");
	return t;
}

void
loop_timer_set(struct loop_timer *t, int64_t ms)
{
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv = (struct timeval){ ms / 1000, ms % 1000 * 1000 };
	if (event_add(t->ev, &tv) == -1)
		fatal("timer");
}

void
loop_timer_stop(struct loop_timer *t)
{
	event_del(t->ev);
}

bool
loop_timer_pending(const struct loop_timer *t)
{
	return event_pending(t->ev, EV_TIMEOUT, NULL) != 0;
}

void
loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	event_free(t->ev);
	free(t);
}

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct hook *h = arg;

	(void)signo;
	(void)what;
	clock_tick();
	h->fn(h->arg);
}

void
loop_signal(int signo, loop_fn *fn, void *arg)
{
	struct hook *h = &lp.signals[lp.nsignals];

	if (lp.nsignals == SIGNALS_MAX)
		fatalx("too many signals");
	*h = (struct hook){ fn, arg };
	lp.signal_ev[lp.nsignals] = evsignal_new(lp.base, signo, on_signal, h);
	if (lp.signal_ev[lp.nsignals] == NULL ||
	    event_add(lp.signal_ev[lp.nsignals], NULL) == -1)
		fatal("signal %d", signo);
	lp.nsignals++;
}

void
loop_hook(loop_fn *fn, void *arg)
{
	if (lp.nhooks == HOOKS_MAX)
		fatalx("too many hooks");
	lp.hooks[lp.nhooks++] = (struct hook){ fn, arg };
}

void
loop_again(void)
{
	lp.again = true;
}

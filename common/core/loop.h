/*
 * loop - events of one process: descriptors, timers, signals, and the end of
 * the turn.  libevent's core is behind it and seen nowhere else.
 *
 * A turn handles everything that is ready, then runs the turn hooks in the
 * order in which they were added.  Group commit, packing of messages and the
 * freeing of closed sessions live in hooks.  A hook may itself cause work for
 * a later hook, never for an earlier one.
 */
#ifndef CORE_LOOP_H
#define CORE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LOOP_READ = 1,
	LOOP_WRITE = 2
};

struct loop_fd;
struct loop_timer;

typedef void loop_fd_fn(void *arg, int events);
typedef void loop_fn(void *arg);

void	loop_init(void);
/* Until loop_stop; 0, or -1 with errno. */
int	loop_run(void);
/* One turn; waits for an event at most `ms` (-1: for ever).  For tests. */
int	loop_turn(int ms);
void	loop_stop(void);
void	loop_free(void);

/* The fd stays the caller's and must outlive the watch.  Level-triggered. */
struct loop_fd	*loop_watch(int fd, int events, loop_fd_fn *, void *arg);
void		 loop_want(struct loop_fd *, int events);	/* 0: none */
void		 loop_unwatch(struct loop_fd *);	/* NULL is fine */

/* A timer is made stopped.  Setting it again moves it. */
struct loop_timer *loop_timer(loop_fn *, void *arg);
void		 loop_timer_set(struct loop_timer *, int64_t ms);
void		 loop_timer_stop(struct loop_timer *);
bool		 loop_timer_pending(const struct loop_timer *);
void		 loop_timer_free(struct loop_timer *);	/* NULL is fine */

void		 loop_signal(int signo, loop_fn *, void *arg);
void		 loop_hook(loop_fn *, void *arg);
/* There is work left in hooks: the next turn does not wait. */
void		 loop_again(void);

#endif

/*
 * scrubber - looks through the mailbox's log for damage when the monitor asks
 * for it, a piece in each turn of the owner, and tells it what was found.
 * Nothing is changed.
 */
#ifndef MAILBOXD_SCRUBBER_H
#define MAILBOXD_SCRUBBER_H

#include <stdbool.h>
#include <stdint.h>

struct chan;
struct mbox;

/*
 * From the beginning, also if one is under way; the channel is borrowed, and
 * n is the monitor's number for it.
 */
void	scrubber_begin(struct mbox *, struct chan *monitor, uint64_t n);
bool	scrubber_is_idle(void);
/* A piece of the work; true while there is more. */
bool	scrubber_turn(void);
/* Once when it has come to its end: an owner need not stay for more. */
bool	scrubber_is_over(void);
/* Before the mailbox is closed. */
void	scrubber_end(void);

#endif

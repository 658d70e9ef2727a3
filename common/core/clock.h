/*
 * clock - the only place that asks what time it is.
 *
 * Both clocks are read once per turn of the loop (clock_tick) and stand still
 * in between.  A test sets them by hand.  Persisted times are wall clock.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>

int64_t	clock_now(void);	/* ms; never goes back; for deadlines */
int64_t	clock_wall(void);	/* ms since 1970 UTC; may jump */
void	clock_tick(void);	/* the loop calls this */

/* From here on both clocks say this, until clock_tick is told otherwise. */
void	clock_set(int64_t now, int64_t wall);
void	clock_release(void);	/* back to the machine's */

#endif

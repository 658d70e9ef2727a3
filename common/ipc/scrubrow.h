/*
 * scrubrow - what mailctl shows of a scrub, the same from queued and from
 * mailboxd: a row for each damage and one for all that was looked at.
 */
#ifndef IPC_SCRUBROW_H
#define IPC_SCRUBROW_H

#include "common/disk/scrub.h"
#include "common/ipc/ctl.h"

enum { SCRUBROW_MAX = 1000 };	/* damages of a log: logged, shown */

/*
 * log: "queue", or the address of a mailbox; record: the name of its type,
 * NULL for damage that is not of a record.
 */
void	scrubrow_damage(const struct ctl_call *, struct str log,
	    const char *record, const struct scrub_damage *);
/* One that could not be looked at. */
void	scrubrow_failed(const struct ctl_call *, struct str log,
	    struct str why);
void	scrubrow_total(const struct ctl_call *, struct str log,
	    const struct scrub_counts *);

#endif

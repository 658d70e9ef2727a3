/*
 * compact - the upkeep of a mailbox's log: snapshots, and the reclaiming of
 * segments whose history is no longer wanted.
 *
 * The base is a snapshot from before the undelete window that has another
 * behind it, so that damage of one of the two loses nothing.  What came
 * before the base counts no more, except for the bodies that its messages
 * have.  A segment that lies wholly before it goes when no such body is in
 * it, or when so few are that they are written again at the end of the log.
 *
 * The order, segment by segment from the oldest: live bodies are written
 * again and synced, the index follows, dead files are removed, the segment
 * is retired.  A crash between any two leaves bodies twice or dead ones
 * there, never one too few.  Tombstones need no order among the segments:
 * those before the base are in it, and a rebuild begins with the base or a
 * later snapshot.
 */
#ifndef MAILBOXD_COMPACT_H
#define MAILBOXD_COMPACT_H

#include "mailboxd/mbox.h"

/* mbox_upkeep (store.h) does the work, a step at a time.  NULL is fine. */
void	compact_free(struct compact *);

#endif

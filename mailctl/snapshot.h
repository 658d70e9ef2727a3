/*
 * snapshot - numbered, immutable copies of the checked configuration: the
 * operator's text and one slice per daemon, below DIR/snapshots/.  A daemon
 * gets its slice from here, so that a restart cannot pick up an edit that
 * nobody applied.
 */
#ifndef MAILCTL_SNAPSHOT_H
#define MAILCTL_SNAPSHOT_H

#include "mailctl/instance.h"

enum { SNAPSHOTS_KEPT = 20 };

/*
 * The number of the snapshot of what was just loaded: the last one if it
 * says the same, else a new one.  Fatal when it cannot be written.
 */
unsigned	snapshot_take(const struct instance *);
/* Opens a unit's slice; fatal when it is not there. */
int		snapshot_slice(const struct instance *, unsigned number,
		    const struct unit *);

#endif

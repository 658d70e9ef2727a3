/*
 * content - whether a content that is a file of its own may be handed out:
 * its hash is checked before the first time in this process, by the helper.
 */
#ifndef QUEUED_CONTENT_H
#define QUEUED_CONTENT_H

#include <stdbool.h>

struct queued;
struct message;
struct target;
struct record_message;

/*
 * False while it is being checked: the target is to be taken out of its
 * schedule.  The answer puts it back, or holds it.
 */
bool	content_is_sound(struct queued *, struct message *,
	    const struct record_message *);
/* Its content cannot be read; the target is in no schedule. */
void	content_hold(struct queued *, struct target *);

#endif

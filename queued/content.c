/*
 * content - see content.h.  Runs in queued; the helper reads the file.
 */
#include "queued/content.h"

#include <string.h>

#include "common/core/log.h"
#include "queued/queued.h"

void
content_hold(struct queued *q, struct target *t)
{
	struct record_result r = {
		.time = queue_time(&q->queue), .no = t->no,
		.state = TARGET_HELD, .attempts = t->attempts,
		.error = S("4.3.0 the stored message cannot be read"),
	};

	queued_result(q, t, &r, NULL);
}

/* Its targets that are in no schedule are those that waited for this. */
static void
hold_waiting(struct queued *q, struct message *m)
{
	struct target	*t;
	uint32_t	 i;

	for (i = 0; i < m->n; i++) {
		t = queue_target(m, i);
		if (t->state == TARGET_LOCAL && t->item.where == SCHED_OUT)
			content_hold(q, t);
	}
}

static void
on_checked(void *arg, uint64_t qid, int error)
{
	struct queued	*q = arg;
	struct message	*m = queue_find(&q->queue, qid);

	if (m == NULL)
		return;
	if (error == 0) {
		m->content = CONTENT_SOUND;
		work_schedule(q, m, 0);
		return;
	}
	log_error("content not readable", L_QID(qid),
	    L_Z("error", strerror(error)));
	/* Who sets it free again may have repaired it. */
	m->content = CONTENT_UNCHECKED;
	hold_waiting(q, m);
}

bool
content_is_sound(struct queued *q, struct message *m,
    const struct record_message *r)
{
	if ((m->flags & RECORD_FILE) == 0 || m->content == CONTENT_SOUND)
		return true;
	if (m->content == CONTENT_UNCHECKED)
		bulk_ask(q->bulk, &(struct bulk_ask){ .op = BULK_CHECK,
		    .id = message_qid(m), .size = r->size, .hash = r->hash },
		    on_checked, q);
	m->content = CONTENT_CHECKING;
	return false;
}

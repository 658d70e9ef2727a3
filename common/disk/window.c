/*
 * window - see window.h.
 */
#include "common/disk/window.h"

#include <errno.h>
#include <stdlib.h>

#include "common/core/xalloc.h"
#include "common/disk/io.h"

enum {
	STEP_MIN = 4096,
	STEP_MAX = 256 * 1024
};

void
window_init(struct window *w, int fd, uint64_t size)
{
	*w = (struct window){ .fd = fd, .size = size, .step = STEP_MIN };
}

void
window_clear(struct window *w)
{
	free(w->p);
	w->p = NULL;
	w->cap = 0;
	w->n = 0;
}

const char *
window_get(struct window *w, uint64_t offset, size_t n)
{
	size_t	want;
	ssize_t	got;

	if (w->error != 0 || offset > w->size || n > w->size - offset)
		return NULL;
	if (offset >= w->at && offset - w->at <= w->n &&
	    n <= w->n - (offset - w->at))
		return w->p + (offset - w->at);

	if (offset >= w->at && offset - w->at <= w->n)
		w->step = w->step < STEP_MAX ? w->step * 2 : STEP_MAX;
	else
		w->step = STEP_MIN;
	want = n > w->step ? n : w->step;
	if (want > w->size - offset)
		want = (size_t)(w->size - offset);
	if (want > w->cap) {
		w->p = xrealloc(w->p, want, 1);
		w->cap = want;
	}
	w->n = 0;
	got = disk_read(w->fd, w->p, want, offset);
	if (got == -1) {
		w->error = errno;
		return NULL;
	}
	w->at = offset;
	w->n = (size_t)got;
	return w->n >= n ? w->p : NULL;
}

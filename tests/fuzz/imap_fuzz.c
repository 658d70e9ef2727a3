/*
 * imap_fuzz - two IMAP sessions over one model store.
 *
 * The first byte says in what pieces the rest is fed; \1 goes on with the
 * other session, \2 delivers a message.  Whatever comes, a session ends or
 * waits for input after finite work, and its output is whole lines.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "imapd/imap.h"
#include "tests/lib/model_store.h"

enum { STEPS_MAX = 100000 };

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct model_store *
fill(void)
{
	struct model_store	*m = model_store_new();
	struct str		 mail = S("From: a@b\r\nSubject: s\r\n t\r\n"
	    "Date: Thu, 1 Jan 2026 10:00:00 +0100\r\n\r\nbody\r\n");

	m->quota = 1 << 20;
	model_store_add(m, "INBOX", mail, 0, 0);
	model_store_add(m, "INBOX", mail, STORE_SEEN, 86400);
	model_store_add(m, "INBOX", mail, STORE_DELETED, 1790000000);
	model_store_add(m, "INBOX", S("no header"), 0, 1);
	model_store_add(m, "Work/2025", mail, 0, 0);
	return m;
}

/* Until it waits for input; the last byte that it said, or 0. */
static void
settle(struct imap *s, char *last)
{
	enum imap_want	want;
	unsigned	steps = 0;
	struct str	out;

	for (;;) {
		out = buf_str(imap_out(s));
		if (out.n > 0)
			*last = out.p[out.n - 1];
		buf_reset(imap_out(s));
		want = imap_wants(s);
		assert(want != IMAP_WANT_ROOM);
		if (want != IMAP_WANT_STEP)
			return;
		steps++;
		assert(steps < STEPS_MAX);
		imap_step(s, 1790000000);
	}
}

static void
give(struct imap *s, struct str in, size_t piece, char *last)
{
	size_t took;

	settle(s, last);
	while (in.n > 0) {
		took = imap_feed(s, str_sub(in, 0, piece));
		in = str_from(in, took);
		settle(s, last);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model_store	*m;
	struct imap		*s[2];
	struct str		 in = str_of(data, size), run;
	char			 last[2] = { '\n', '\n' };
	size_t			 piece, n;
	int			 who = 0;

	if (size < 2 || size > 65536)
		return 0;
	piece = data[0] == 0 ? size : data[0];
	in = str_from(in, 1);
	m = fill();
	s[0] = imap_new(&m->store, 4096);
	s[1] = imap_new(&m->store, 4096);
	while (in.n > 0) {
		for (n = 0; n < in.n && in.p[n] != 1 && in.p[n] != 2; n++)
			;
		run = str_sub(in, 0, n);
		give(s[who], run, piece, &last[who]);
		settle(s[!who], &last[!who]);
		if (n < in.n && in.p[n] == 1)
			who = !who;
		else if (n < in.n)
			model_store_add(m, "INBOX", S("x"), 0, 0);
		in = str_from(in, n + 1);
	}
	assert(last[0] == '\n' && last[1] == '\n');
	imap_free(s[0]);
	imap_free(s[1]);
	assert(m->opens == 0 && m->appends == 0);
	model_store_free(m);
	return 0;
}

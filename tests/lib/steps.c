/*
 * steps - see steps.h.
 */
#include "tests/lib/steps.h"

#include <assert.h>
#include <string.h>

#include "tests/lib/mailbox.h"

enum { TEXT_MAX = 20 * 1024 };

const struct step steps[] = {
	{ V_PUT, "INBOX", "a", { 0 }, 100, 0, STORE_OK },
	{ V_PUT, "INBOX", "b", { 0 }, 8192, 0, STORE_OK },
	{ V_PUT, "INBOX", "c", { 0 }, 8193, 0, STORE_OK },
	{ V_PUT, "INBOX", "d", { 0 }, 0, 0, STORE_OK },
	{ V_PUT, "nowhere", "e", { 0 }, 9, 0, STORE_NO_SUCH },
	{ V_PUT, "a//b", "e", { 0 }, 9, 0, STORE_BAD_NAME },
	{ V_RECENT, "INBOX", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_CREATE, "INBOX", NULL, { 0 }, 0, 0, STORE_EXISTS },
	{ V_CREATE, "a/b/c", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_CREATE, "a/b/", NULL, { 0 }, 0, 0, STORE_EXISTS },
	{ V_CREATE, "a/\x01", NULL, { 0 }, 0, 0, STORE_BAD_NAME },
	{ V_CREATE, "/a", NULL, { 0 }, 0, 0, STORE_BAD_NAME },
	{ V_CREATE, "..", NULL, { 0 }, 0, 0, STORE_BAD_NAME },
	{ V_CREATE, "\xff", NULL, { 0 }, 0, 0, STORE_BAD_NAME },
	{ V_WORD, "INBOX", "$Junk", { 0 }, 0, 0, STORE_LIMIT },
	{ V_WORD, "INBOX", "$Junk", { 0 }, 1, 0, STORE_OK },
	{ V_WORD, "INBOX", "$junk", { 0 }, 0, 0, STORE_OK },
	{ V_WORD, "INBOX", "two", { 0 }, 1, 0, STORE_OK },
	{ V_FLAGS, "INBOX", NULL, { 1, 3 }, 0x301, STORE_ADD, STORE_OK },
	{ V_FLAGS, "INBOX", NULL, { 1, 2 }, 0x204, STORE_SET, STORE_OK },
	{ V_FLAGS, "INBOX", NULL, { 3, 9 }, 0x101, STORE_REMOVE, STORE_OK },
	{ V_FLAGS, "INBOX", NULL, { 3 }, 0x101, STORE_REMOVE, STORE_OK },
	{ V_COPY, "INBOX", "a/b", { 1, 3 }, 0, 0, STORE_OK },
	{ V_COPY, "INBOX", "a/b", { 1, 7 }, 0, 0, STORE_NO_SUCH },
	{ V_COPY, "INBOX", "zz", { 1 }, 0, 0, STORE_NO_SUCH },
	{ V_COPY, "INBOX", "z*", { 1 }, 0, 0, STORE_BAD_NAME },
	{ V_COPY, "INBOX", "INBOX", { 1, 2, 3 }, 0, 0, STORE_OK },
	{ V_EXPUNGE, "INBOX", NULL, { 1, 2, 8 }, 0, 0, STORE_OK },
	{ V_EXPUNGE, "INBOX", NULL, { 1 }, 0, 0, STORE_OK },
	{ V_EXPUNGE, "INBOX", NULL, { 7 }, 0, 0, STORE_OK },
	{ V_PUT, "INBOX", "f", { 0 }, 10, 0, STORE_OK },
	{ V_SUB, "a/b", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_SUB, "q/r", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_UNSUB, "q", NULL, { 0 }, 0, 0, STORE_NO_SUCH },
	{ V_UNSUB, "q/r", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_REMOVE, "a/b", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_REMOVE, "a/b", NULL, { 0 }, 0, 0, STORE_NO_SUCH },
	{ V_REMOVE, "INBOX", NULL, { 0 }, 0, 0, STORE_FORBIDDEN },
	{ V_CREATE, "a/b", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_COPY, "INBOX", "a/b/c", { 3, 5 }, 0, 0, STORE_OK },
	{ V_RENAME, "a", "a/x", { 0 }, 0, 0, STORE_FORBIDDEN },
	{ V_RENAME, "a", "INBOX", { 0 }, 0, 0, STORE_EXISTS },
	{ V_RENAME, "none", "x", { 0 }, 0, 0, STORE_NO_SUCH },
	{ V_RENAME, "a", "x/y", { 0 }, 0, 0, STORE_OK },
	{ V_RENAME, "x/y/b", "x/y/b2", { 0 }, 0, 0, STORE_OK },
	{ V_CREATE, "a", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_RENAME, "INBOX", "old/in", { 0 }, 0, 0, STORE_OK },
	{ V_PUT, "INBOX", "g", { 0 }, 9000, 0, STORE_OK },
	{ V_RENAME, "INBOX", "INBOX/again", { 0 }, 0, 0, STORE_OK },
	{ V_REMOVE, "x/y/b2/c", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_REMOVE, "x/y", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_REMOVE, "x/y/b2", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_REMOVE, "x", NULL, { 0 }, 0, 0, STORE_OK },
	/* A tree into the place above it. */
	{ V_CREATE, "p/q/q/q", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_REMOVE, "p", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_RENAME, "p/q", "p", { 0 }, 0, 0, STORE_OK },
	/* A level that is no folder, but has some. */
	{ V_REMOVE, "p", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_RENAME, "p", "r/s", { 0 }, 0, 0, STORE_OK },
	{ V_RENAME, "p", "t", { 0 }, 0, 0, STORE_NO_SUCH },
	{ V_SUB, "u", NULL, { 0 }, 0, 0, STORE_OK },
	{ V_RENAME, "u", "t", { 0 }, 0, 0, STORE_NO_SUCH },
	{ V_UNSUB, "u", NULL, { 0 }, 0, 0, STORE_OK },
};
const size_t steps_n = sizeof(steps) / sizeof(steps[0]);

static size_t
count(const uint32_t *uids)
{
	size_t n = 0;

	while (n < 4 && uids[n] != 0)
		n++;
	return n;
}

static enum store_result
in_folder(struct store s, struct store_folder *f, const struct step *t)
{
	uint32_t	validity, out[4];
	size_t		n = count(t->uids);

	switch (t->verb) {
	case V_FLAGS:
		return s.ops->flags(s.impl, f, t->uids, n, t->how,
		    (uint8_t)(t->n & 31), t->n >> 8 &
		    (((uint64_t)1 << f->nkeywords) - 1));
	case V_EXPUNGE:
		return s.ops->expunge(s.impl, f, t->uids, n);
	case V_COPY:
		return s.ops->copy(s.impl, f, t->uids, n, str_c(t->b),
		    &validity, out);
	case V_RECENT:
		s.ops->seen_recent(s.impl, f);
		return STORE_OK;
	case V_WORD:
		return s.ops->keyword(s.impl, f, str_c(t->b),
		    t->n != 0) == -1 ? STORE_LIMIT : STORE_OK;
	case V_CREATE:
	case V_REMOVE:
	case V_RENAME:
	case V_SUB:
	case V_UNSUB:
	case V_PUT:
		break;
	}
	return STORE_ERROR;
}

enum store_result
step_run(struct store s, const struct step *t)
{
	struct str		 a = str_c(t->a);
	struct store_folder	*f;
	char			 text[TEXT_MAX];
	enum store_result	 r = STORE_OK;

	switch (t->verb) {
	case V_CREATE:
		return s.ops->create(s.impl, a);
	case V_REMOVE:
		return s.ops->remove(s.impl, a);
	case V_RENAME:
		return s.ops->rename(s.impl, a, str_c(t->b));
	case V_SUB:
		return s.ops->subscribe(s.impl, a, true);
	case V_UNSUB:
		return s.ops->subscribe(s.impl, a, false);
	case V_PUT:
		assert(t->n <= sizeof(text));
		memset(text, *t->b, t->n);
		(void)store_put(s, t->a, str_of(text, t->n), 0, &r);
		return r;
	case V_FLAGS:
	case V_EXPUNGE:
	case V_COPY:
	case V_RECENT:
	case V_WORD:
		r = s.ops->open(s.impl, a, &f);
		if (r != STORE_OK)
			return r;
		r = in_folder(s, f, t);
		s.ops->close(s.impl, f);
		return r;
	}
	return STORE_ERROR;
}

/* -- random ----------------------------------------------------------- */

static const char *const names[] = {
	"INBOX", "a", "a/b", "a/b/c", "a-b", "b", "b/a", "INBOX/x", "c/d/e",
	"\xc3\xa4", "INBOX/x/y", "c"
};
static const char *const keywords[] = { "one", "Two", "$three", "ONE" };

uint32_t
step_below(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % n;
}

static bool
is_there(struct store s, const char *name)
{
	struct store_name	e;
	struct str		at = str_of("", 0);

	while (s.ops->next(s.impl, at, &e) == STORE_OK) {
		if (str_eq(e.name, str_c(name)))
			return true;
		at = e.name;
	}
	return false;
}

struct step
step_random(struct store s, uint32_t *seed)
{
	static const enum verb often[] = {
		V_CREATE, V_REMOVE, V_RENAME, V_SUB, V_UNSUB, V_PUT, V_PUT,
		V_PUT, V_PUT, V_PUT, V_FLAGS, V_FLAGS, V_FLAGS, V_EXPUNGE,
		V_COPY, V_COPY, V_COPY, V_RECENT, V_WORD
	};
	struct step	t = { 0 };
	uint32_t	uid = 0;
	size_t		i, n;

	t.verb = often[step_below(seed, sizeof(often) / sizeof(often[0]))];
	t.a = names[step_below(seed, sizeof(names) / sizeof(names[0]))];
	t.b = names[step_below(seed, sizeof(names) / sizeof(names[0]))];
	t.n = step_below(seed, step_below(seed, 3) == 0 ? 12000 : 200);
	t.how = (enum store_how)step_below(seed, 3);
	n = 1 + step_below(seed, 4);
	for (i = 0; i < n; i++)
		t.uids[i] = uid += 1 + step_below(seed, i == 0 ? 8 : 3);
	if (t.verb == V_FLAGS)
		t.n = step_below(seed, 32) | step_below(seed, 4) << 8;
	if (t.verb == V_WORD)
		t.b = keywords[step_below(seed, 4)];
	/* The model lets one tree run over another. */
	if (t.verb == V_RENAME && is_there(s, t.b))
		t.verb = V_CREATE;
	return t;
}

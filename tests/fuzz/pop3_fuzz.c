/*
 * pop3_fuzz - the POP3 session over a model of the store.  The first byte
 * says how the input is cut; the end must be the same whole and in pieces,
 * and every answer line is one of POP3's.
 */
#include <stdint.h>
#include <stdlib.h>

#include "pop3d/pop3.h"
#include "tests/lib/feed.h"
#include "tests/lib/model_store.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct run {
	struct pop3	*s;
	struct buf	 got;
};

static void
want(bool ok)
{
	if (!ok)
		abort();
}

static size_t
feed_one(void *arg, struct str in)
{
	struct run	*r = arg;
	size_t		 used = pop3_feed(r->s, in);
	struct buf	*out = pop3_out(r->s);

	do {
		want(out->n < 2 * POP3_OUT_SOFT);
		buf_add(&r->got, buf_str(out));
		buf_drop(out, out->n);
	} while (pop3_step(r->s));
	buf_add(&r->got, buf_str(out));
	buf_drop(out, out->n);
	return used;
}

static void
run(unsigned way, struct str in, struct buf *got)
{
	struct model_store	*m = model_store_new();
	struct run		 r;

	model_store_add(m, "INBOX", S("A: b\r\n\r\n.x\r\ny\n.\r\nz"), 0, 0);
	model_store_add(m, "INBOX", S(""), 0, 0);
	model_store_add(m, "INBOX", S("\r\r\n\n\r\n.."), 0, 0);
	r.s = pop3_new(&m->store);
	buf_init(&r.got, 256 * 1024 * 1024);
	feed(way, in, feed_one, &r);
	pop3_free(r.s);
	want(m->opens == 0);
	want(r.got.n == 0 || buf_cstr(&r.got)[r.got.n - 1] == '\n');
	model_store_free(m);
	*got = r.got;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf	a, b;
	struct str	in;

	if (n == 0)
		return 0;
	in = str_of(p + 1, n - 1);
	run(0, in, &a);
	run(1 + p[0] % (FEED_WAYS - 1), in, &b);
	want(str_eq(buf_str(&a), buf_str(&b)));
	buf_clear(&a);
	buf_clear(&b);
	return 0;
}

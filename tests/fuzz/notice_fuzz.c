/*
 * notice_fuzz - what a daemon says to its starter: any bytes.  What is taken
 * lies within them, and says the same when it is written again.
 */
#include <assert.h>
#include <stdint.h>

#include "common/core/buf.h"
#include "mailctl/notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
within(struct str s, struct str all)
{
	assert(s.n == 0 || (s.p >= all.p && s.p + s.n <= all.p + all.n));
	assert(str_chr(s, '\n') == -1);
}

static void
write_again(const struct notice *n, struct buf *b)
{
	if (n->ready)
		buf_addz(b, "READY=1\n");
	if (n->fdstore)
		buf_addz(b, "FDSTORE=1\n");
	if (n->fdremove)
		buf_addz(b, "FDSTOREREMOVE=1\n");
	buf_addz(b, "STATUS=");
	buf_add(b, n->status);
	buf_addz(b, "\nFDNAME=");
	buf_add(b, n->name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t size)
{
	struct str	all = str_of(p, size);
	struct notice	n = notice_parse(all), again;
	struct buf	b;

	within(n.status, all);
	within(n.name, all);
	buf_init(&b, 2 * size + 100);
	write_again(&n, &b);
	assert(buf_ok(&b));
	again = notice_parse(buf_str(&b));
	assert(again.ready == n.ready && again.fdstore == n.fdstore &&
	    again.fdremove == n.fdremove);
	assert(str_eq(again.status, n.status) && str_eq(again.name, n.name));
	buf_clear(&b);
	return 0;
}

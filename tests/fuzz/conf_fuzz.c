/*
 * The operator's text: any bytes.  Each mistake is one printable line, and
 * what was taken, written as slices, holds no line that was not asked for.
 */
#include <assert.h>
#include <string.h>

#include "common/core/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static unsigned
count(struct str s, bool *printable)
{
	struct str	line;
	unsigned	n = 0;

	*printable = true;
	while (s.n > 0 && str_cut(&s, '\n', &line)) {
		*printable = *printable && str_is_print(line);
		n++;
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf	errors, slice;
	unsigned	mistakes, lines;
	bool		printable;

	buf_init(&errors, 1024 * 1024);
	buf_init(&slice, 1024 * 1024);
	mistakes = conf_parse("f", str_of(data, n), &errors);
	assert(buf_ok(&errors));
	assert((mistakes == 0) == (errors.n == 0));
	lines = count(buf_str(&errors), &printable);
	assert(lines <= mistakes + 1);
	assert(printable);
	conf_slice(W_ALL, &slice);
	lines = count(buf_str(&slice), &printable);
	assert(lines == C_COUNT);
	assert(printable);
	buf_clear(&errors);
	buf_clear(&slice);
	return 0;
}

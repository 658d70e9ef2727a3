/*
 * The EPOCH file: missing, right, and not one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/disk/epoch.h"

static const struct {
	const char	*text;		/* NULL: no file */
	uint64_t	 want;
} rows[] = {
	{ NULL, 1 },
	{ "1\n", 1 },
	{ "7\n", 7 },
	{ "18446744073709551615\n", UINT64_MAX },
	{ "18446744073709551616\n", 0 },
	{ "0\n", 0 },
	{ "", 0 },
	{ "\n", 0 },
	{ "7", 0 },
	{ "-7\n", 0 },
	{ "7 \n", 0 },
	{ "seven\n", 0 },
	{ "00000000000000000000000000000000000007\n", 0 },
};

static void
test_rows(void **state)
{
	char	path[] = "/tmp/postern-epoch-XXXXXX";
	size_t	i;
	int	dir, fd;

	(void)state;
	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(dir, -1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].text != NULL) {
			fd = openat(dir, "EPOCH",
			    O_WRONLY | O_CREAT | O_TRUNC, 0600);
			assert_int_equal(write(fd, rows[i].text,
			    strlen(rows[i].text)), strlen(rows[i].text));
			close(fd);
		}
		if (epoch_read(dir) != rows[i].want)
			fail_msg("row %zu", i);
	}
	unlinkat(dir, "EPOCH", 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, "EPOCH"), 0);
	assert_int_equal(epoch_read(dir), 0);
	unlinkat(dir, "EPOCH", 0);
	close(dir);
	assert_int_equal(rmdir(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

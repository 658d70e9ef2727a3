/*
 * tmpdir - a directory of a test's own, removed with all that is in it.
 */
#ifndef TESTS_TMPDIR_H
#define TESTS_TMPDIR_H

struct tmpdir {
	char	path[64];
	int	fd;
	int	cwd;		/* where the test was before */
};

void	tmpdir_make(struct tmpdir *);
/* Below that one, which is 40 octets at most, not $TMPDIR or /tmp. */
void	tmpdir_make_in(struct tmpdir *, const char *where);
/* Removes all that is in it. */
void	tmpdir_empty(const struct tmpdir *);
/* Goes back to the working directory of before. */
void	tmpdir_remove(struct tmpdir *);

#endif

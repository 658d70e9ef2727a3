/*
 * seeds - see seeds.h.
 */
#include "tests/lib/seeds.h"

#include <dirent.h>

#include "tests/lib/unit.h"

enum { SEED_MAX = 256 * 1024 };

void
seeds_play_one(const char *target, const char *name,
    void (*play)(struct str))
{
	char	 path[512], *whole = malloc(SEED_MAX), *seed;
	FILE	*f;
	size_t	 n;

	snprintf(path, sizeof(path), "tests/fuzz/seeds/%s/%s", target, name);
	f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("no %s", path);
	assert_non_null(whole);
	n = fread(whole, 1, SEED_MAX, f);
	fclose(f);
	assert_in_range(n, 1, SEED_MAX - 1);
	seed = malloc(n);
	assert_non_null(seed);
	memcpy(seed, whole, n);
	play(str_of(seed, n));
	free(seed);
	free(whole);
}

void
seeds_play(const char *target, void (*play)(struct str))
{
	char		 path[512];
	struct dirent	*e;
	DIR		*d;

	snprintf(path, sizeof(path), "tests/fuzz/seeds/%s", target);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] != '.')
			seeds_play_one(target, e->d_name, play);
	}
	closedir(d);
}

void
seeds_need(const char *target, seeds_name *name,
    const bool reached[SEEDS_STATES])
{
	unsigned i, missing = 0, states = 0;

	for (i = 0; i < SEEDS_STATES; i++) {
		if (name(i) == NULL)
			continue;
		states++;
		if (reached[i])
			continue;
		print_error("no seed of %s reaches %s\n", target, name(i));
		missing++;
	}
	assert_true(states > 0);
	assert_int_equal(missing, 0);
}

void
seeds_need_said(const char *target, const struct buf *said,
    const char *const *texts, size_t n)
{
	unsigned	missing = 0;
	size_t		i;

	for (i = 0; i < n; i++) {
		if (str_find(buf_str(said), str_c(texts[i])) != -1)
			continue;
		print_error("no seed of %s gives %s\n", target, texts[i]);
		missing++;
	}
	assert_true(buf_ok(said));
	assert_int_equal(missing, 0);
}

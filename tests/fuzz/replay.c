/*
 * replay - runs a fuzz target once over each file named on the command line,
 * and over each file of a directory named there, without libFuzzer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
run_file(const char *path)
{
	FILE	*f = fopen(path, "rb");
	size_t	 n;
	uint8_t	*p;

	if (f == NULL) {
		perror(path);
		return -1;
	}
	p = malloc(1 << 20);
	n = fread(p, 1, 1 << 20, f);
	fclose(f);
	LLVMFuzzerTestOneInput(p, n);
	free(p);
	return 0;
}

static int
run_dir(const char *path)
{
	struct dirent	*e;
	DIR		*d = opendir(path);
	char		 file[4096];
	int		 n = 0;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		if (run_file(file) == -1)
			return -1;
		n++;
	}
	closedir(d);
	return n;
}

int
main(int argc, char **argv)
{
	struct stat	st;
	int		i, n, total = 0;

	for (i = 1; i < argc; i++) {
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			n = run_dir(argv[i]);
		else
			n = run_file(argv[i]) == -1 ? -1 : 1;
		if (n == -1)
			return 1;
		total += n;
	}
	printf("%d inputs\n", total);
	return total > 0 ? 0 : 1;
}

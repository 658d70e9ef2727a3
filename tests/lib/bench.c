/*
 * bench - see bench.h.
 */
#include "tests/lib/bench.h"

#include <sys/resource.h>

#include <stdlib.h>
#include <time.h>

double
bench_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

struct lap
bench_start(void)
{
	return (struct lap){ bench_seconds(), cpu_seconds() };
}

struct cost
bench_cost(struct lap since, int total)
{
	return (struct cost){ total / (bench_seconds() - since.wall),
	    (cpu_seconds() - since.cpu) / total * 1e6 };
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double
bench_median(double *v)
{
	qsort(v, BENCH_ROUNDS, sizeof(*v), by_value);
	return v[BENCH_ROUNDS / 2];
}

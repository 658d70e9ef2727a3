/*
 * bench - what the benchmarks measure with.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stddef.h>

enum { BENCH_ROUNDS = 7 };	/* of each, turn about */

/* When a run began, in seconds since some time. */
struct lap {
	double	wall, cpu;
};

/* What one of many like it cost. */
struct cost {
	double	rate;		/* in a second */
	double	cpu;		/* us of this process */
};

double		bench_seconds(void);
struct lap	bench_start(void);
struct cost	bench_cost(struct lap, int total);

/* Of BENCH_ROUNDS; sorts them. */
double		bench_median(double *);

#endif

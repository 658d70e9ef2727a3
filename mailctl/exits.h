/*
 * exits - how mailctl ends; mailctl(8) lists them.
 */
#ifndef MAILCTL_EXITS_H
#define MAILCTL_EXITS_H

enum {
	EX_DONE = 0,
	EX_FAILED = 1,
	EX_USAGE_ = 2,
	EX_NOT_FOUND = 3,
	EX_REFUSED = 4,
	EX_UNREACHABLE = 5,
	EX_CONFIG_ = 78
};

#endif

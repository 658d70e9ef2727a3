/*
 * probes - what the files of probes (evil.h) share.
 */
#ifndef EVIL_PROBES_H
#define EVIL_PROBES_H

#include "tests/evil/evil.h"

#define UP	"../../../../../../../../../../../.."

enum { PATH = 4200, FDS = 64, NEIGHBOURS = 40 };

/* A row of their tables: a function under its own name. */
#define P(name)	{ #name, name }

#endif

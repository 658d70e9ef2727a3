/*
 * probes - what the files of probes share.
 */
#ifndef EVIL_PROBES_H
#define EVIL_PROBES_H

#include "tests/evil/evil.h"

#define UP	"../../../../../../../../../../../.."

enum { PATH = 4200, FDS = 64, NEIGHBOURS = 40 };

#define P(name)	{ #name, name }

#endif

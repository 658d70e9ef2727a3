/*
 * json - just enough to read test vectors: an array of flat objects, whose
 * values are strings, numbers, true, false and null.
 */
#ifndef TESTS_JSON_H
#define TESTS_JSON_H

#include "common/core/buf.h"

/* The file as a whole; the test fails without it. */
void	json_load(const char *path, struct buf *);
/* Cuts the next object off *text; false at the end. */
bool	json_next(struct str *text, struct str *object);
/*
 * The value of a key: a string without quotes and escapes, else as written.
 * False when it is null or not there.
 */
bool	json_get(struct str object, const char *key, struct buf *);

#endif

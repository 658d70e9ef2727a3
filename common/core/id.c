/*
 * id - see id.h.
 */
#include "common/core/id.h"

#include <string.h>
#include <sys/random.h>

#include "common/core/log.h"

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

struct id_text
id_text(uint64_t id)
{
	struct id_text	t = { { 0 } };
	int		i;

	for (i = ID_LEN - 1; i >= 0; i--) {
		t.s[i] = alphabet[id & 31];
		id >>= 5;
	}
	return t;
}

int
id_parse(struct str s, uint64_t *id)
{
	const char	*p;
	uint64_t	 v = 0;
	size_t		 i;

	if (s.n != ID_LEN)
		return -1;
	for (i = 0; i < s.n; i++) {
		p = s.p[i] == '\0' ? NULL :
		    strchr(alphabet, ascii_lower(s.p[i]));
		if (p == NULL || v >> 59 != 0)
			return -1;
		v = v << 5 | (uint64_t)(p - alphabet);
	}
	*id = v;
	return 0;
}

uint64_t
id_random(void)
{
	uint64_t v;

	if (getrandom(&v, sizeof(v), 0) != (ssize_t)sizeof(v))
		fatal("getrandom");
	return v;
}

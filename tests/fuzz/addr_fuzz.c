/*
 * addr_fuzz - a path, its parameters, xtext.  What is accepted has a text
 * that reads back as the same address.
 */
#include <assert.h>
#include <stdlib.h>

#include "common/mail/addr.h"
#include "common/mail/esmtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
same(const struct addr *a)
{
	char		text[ADDR_TEXT_MAX], key[ADDR_TEXT_MAX];
	struct str	user, tag, s = addr_text(a, text);
	struct addr	b;

	assert(str_is_print(s) && str_ieq(s, addr_key(a, key)));
	(void)addr_split_tag(addr_local(a), '+', &user, &tag);
	assert(user.n + tag.n + 1 >= addr_local(a).n);
	if (a->kind == ADDR_NULL || a->kind == ADDR_POSTMASTER)
		return;
	assert(addr_parse(s, &b) == ADDR_OK && b.kind == a->kind);
	assert(str_eq(addr_local(a), addr_local(&b)));
	assert(str_eq(addr_domain(a), addr_domain(&b)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str		s = str_of(p, n), rest = { NULL, 0 };
	struct esmtp_param	param;
	struct addr		a;
	char			*out;
	size_t			len;

	if (addr_parse(s, &a) == ADDR_OK)
		same(&a);
	(void)addr_parse_host(s);
	if (addr_parse_path(s, &a, &rest) != ADDR_OK)
		return 0;
	same(&a);
	assert(rest.p == s.p + (n - rest.n));
	while (esmtp_param(&rest, &param) == 1) {
		out = malloc(param.value.n + 1);
		if (xtext_decode(param.value, out, &len) == 0)
			assert(len <= param.value.n);
		free(out);
	}
	return 0;
}

/*
 * order - see order.h.  Pure.
 *
 * A treap: a search tree by key, a heap by a number that is drawn from the
 * key.  So its shape depends on what is in it, not on how that came in, and
 * paths are short unless somebody chose the keys.
 */
#include "common/core/order.h"

#include <assert.h>

static uint64_t
rank(const struct order_node *n)
{
	uint64_t x = n->map.key;

	x = (x ^ x >> 33) * 0xff51afd7ed558ccd;
	x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53;
	return x ^ x >> 33;
}

/* Both are one to one: there is no draw. */
static struct order_node **
place_of(struct order *o, const struct order_node *n)
{
	struct order_node **at = &o->root;

	while (*at != NULL && *at != n && rank(*at) > rank(n))
		at = n->map.key < (*at)->map.key ? &(*at)->less : &(*at)->more;
	return at;
}

void
order_add(struct order *o, struct order_node *n)
{
	struct order_node	**at = place_of(o, n), *rest = *at;
	struct order_node	**less = &n->less, **more = &n->more;

	*at = n;
	/* What was there is cut in two at the new key. */
	while (rest != NULL) {
		if (rest->map.key < n->map.key) {
			*less = rest;
			less = &rest->more;
			rest = rest->more;
		} else {
			*more = rest;
			more = &rest->less;
			rest = rest->less;
		}
	}
	*less = NULL;
	*more = NULL;
}

void
order_remove(struct order *o, struct order_node *n)
{
	struct order_node	**at = place_of(o, n);
	struct order_node	*a = n->less, *b = n->more;

	assert(*at == n);
	while (a != NULL && b != NULL) {
		if (rank(a) > rank(b)) {
			*at = a;
			at = &a->more;
			a = a->more;
		} else {
			*at = b;
			at = &b->less;
			b = b->less;
		}
	}
	*at = a != NULL ? a : b;
	n->less = n->more = NULL;
}

static size_t
collect(struct order *o, struct order_node *n, uint64_t after, void **out,
    size_t have, size_t most)
{
	for (; n != NULL && have < most; n = n->more) {
		o->steps++;
		if (n->map.key <= after)
			continue;
		have = collect(o, n->less, after, out, have, most);
		if (have < most)
			out[have++] = n;
	}
	return have;
}

size_t
order_page(struct order *o, uint64_t after, void **out, size_t most)
{
	return collect(o, o->root, after, out, 0, most);
}

/*
 * cred: the list, Argon2id, and SCRAM verifiers against RFC 7677's example
 * and the vectors in tests/data/sasl.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authd/cred.h"
#include "common/core/base64.h"
#include "common/core/pack.h"
#include "common/mail/text.h"
#include "tests/lib/json.h"
#include "tests/lib/unit.h"

/* Small, so that a test is quick. */
static const struct cred_cost cheap = { 64 * 1024, 1 };
static char dummy[128];

static void
make(struct str password, struct buf *list)
{
	buf_init(list, CRED_MAX);
	assert_int_equal(cred_make(password, &cheap, list), 0);
	assert_true(cred_is_list(buf_str(list)));
}

static void
test_list(void **state)
{
	struct buf	b;
	struct str	body;
	size_t		i;

	(void)state;
	buf_init(&b, CRED_MAX);
	cred_add(&b, (enum cred_tag)77, S("later"));
	cred_add(&b, CRED_SCRAM_SHA256, S("two"));
	cred_add(&b, CRED_SCRAM_SHA256, S("three"));
	assert_true(cred_find(buf_str(&b), CRED_SCRAM_SHA256, &body));
	assert_true(str_eq(body, S("two")));
	assert_false(cred_find(buf_str(&b), CRED_ARGON2ID, &body));
	assert_true(cred_is_list(buf_str(&b)));
	assert_true(cred_is_list(S("")));
	for (i = 1; i < b.n; i++) {
		if (cred_is_list(str_sub(buf_str(&b), 0, i)) !=
		    (i == 10 || i == 18))
			fail_msg("cut at %zu", i);
	}
	assert_false(cred_is_list(S("\1\xff\xff\xff\xff")));
	buf_clear(&b);
}

static void
test_passwords(void **state)
{
	char		long_[CRED_PASSWORD_MAX + 1];
	struct str	t[] = {
		S("pencil"), S("p"), S(" "), S("a\0b"), S("\xff\xfe"),
		S("0123456789012345678901234567890123456789012345678901"
		    "23456789012345678901234567890"),
		{ long_, CRED_PASSWORD_MAX - 1 },
		{ long_, CRED_PASSWORD_MAX },
	};
	char		other[CRED_PASSWORD_MAX + 1];
	struct buf	list;
	size_t		i;

	(void)state;
	memset(long_, 'x', sizeof(long_));
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		make(t[i], &list);
		assert_int_equal(cred_check(buf_str(&list), t[i], dummy),
		    CRED_GOOD);
		/* Every byte counts, the last one too. */
		memcpy(other, t[i].p, t[i].n);
		other[t[i].n - 1] = (char)(other[t[i].n - 1] ^ 1);
		assert_int_equal(cred_check(buf_str(&list), str_of(other,
		    t[i].n), dummy), CRED_WRONG);
		assert_int_equal(cred_check(buf_str(&list), str_of(t[i].p,
		    t[i].n - 1), dummy), CRED_WRONG);
		buf_clear(&list);
	}
	buf_init(&list, CRED_MAX);
	assert_int_equal(cred_make(S(""), &cheap, &list), -1);
	assert_int_equal(cred_make(str_of(long_, CRED_PASSWORD_MAX + 1),
	    &cheap, &list), -1);
	assert_int_equal(list.n, 0);
	make(S("pencil"), &list);
	assert_int_equal(cred_check(buf_str(&list), S(""), dummy),
	    CRED_WRONG);
	assert_int_equal(cred_check(buf_str(&list), str_of(long_,
	    CRED_PASSWORD_MAX + 1), dummy), CRED_WRONG);
	assert_int_equal(cred_check(S(""), S("pencil"), dummy), CRED_WRONG);
	buf_clear(&list);
}

/* Hashes that are not what we make are never good, and never crash. */
static void
test_strings(void **state)
{
	static const char *t[] = {
		"", "$", "x", "$argon2id$v=19$m=64,t=1,p=1$$",
		"$argon2i$v=19$m=64,t=3,p=1$c2FsdHNhbHRzYWx0c2FsdA$"
		    "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo",
		"$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHRzYWx0c2FsdA$"
		    "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo",
		"$argon2id$v=19$m=7,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$"
		    "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo",
		"$argon2id$v=19$m=64,t=1,p=2$c2FsdHNhbHRzYWx0c2FsdA$"
		    "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo",
		"$argon2id$v=19$m=64,t=1,p=1$c2FsdA$"
		    "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo",
		"$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$qqqq",
		"$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$"
		    "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo$",
		"*", "!",
	};
	struct buf	b;
	size_t		i;

	(void)state;
	buf_init(&b, CRED_MAX);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		buf_reset(&b);
		cred_add(&b, CRED_ARGON2ID, str_c(t[i]));
		assert_int_equal(cred_check(buf_str(&b), S("x"), dummy),
		    CRED_WRONG);
		assert_true(cred_is_stale(buf_str(&b), &cheap));
	}
	buf_clear(&b);
}

/* A right hash is of no use when what is said about it is changed. */
static void
test_changed_strings(void **state)
{
	static const char *const t[][2] = {
		{ "v=19", "v=18" }, { "m=64", "m=65" }, { "t=1", "t=2" },
		{ "p=1", "p=2" }, { "argon2id", "argon2ie" },
	};
	char		text[128];
	struct buf	list, b;
	struct str	body;
	size_t		i;

	(void)state;
	make(S("pencil"), &list);
	assert_true(cred_find(buf_str(&list), CRED_ARGON2ID, &body));
	buf_init(&b, CRED_MAX);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(text, sizeof(text), "%.*s", (int)body.n, body.p);
		assert_non_null(strstr(text, t[i][0]));
		memcpy(strstr(text, t[i][0]), t[i][1], strlen(t[i][1]));
		buf_reset(&b);
		cred_add(&b, CRED_ARGON2ID, str_c(text));
		if (cred_check(buf_str(&b), S("pencil"), dummy) !=
		    CRED_WRONG)
			fail_msg("row %zu", i);
	}
	buf_clear(&b);
	buf_clear(&list);
}

/* Who guesses what the dummy was made of is nobody all the same. */
static void
test_dummy(void **state)
{
	char known[crypto_pwhash_STRBYTES];

	(void)state;
	assert_int_equal(crypto_pwhash_str(known, "pencil", 6, 1, 64 * 1024),
	    0);
	assert_int_equal(cred_check(S(""), S("pencil"), known), CRED_WRONG);
	assert_int_equal(cred_check(S(""), S("pencil"), "rubbish"),
	    CRED_FAILED);
}

/* A string that libsodium's own function made, and the other way round. */
static void
test_interchange(void **state)
{
	char		text[crypto_pwhash_STRBYTES];
	struct buf	list;
	struct str	body;

	(void)state;
	assert_int_equal(crypto_pwhash_str(text, "pencil", 6, 2,
	    128 * 1024), 0);
	buf_init(&list, CRED_MAX);
	cred_add(&list, CRED_ARGON2ID, str_c(text));
	assert_int_equal(cred_check(buf_str(&list), S("pencil"), dummy),
	    CRED_GOOD);
	assert_true(cred_is_stale(buf_str(&list), &cheap));
	buf_clear(&list);

	make(S("pencil"), &list);
	assert_false(cred_is_stale(buf_str(&list), &cheap));
	assert_true(cred_find(buf_str(&list), CRED_ARGON2ID, &body));
	memset(text, 0, sizeof(text));
	memcpy(text, body.p, body.n);
	assert_int_equal(crypto_pwhash_str_verify(text, "pencil", 6), 0);
	buf_clear(&list);
}

/* Out of memory is a failure, not a wrong password. */
static void
test_memory(void **state)
{
	struct rlimit	r = { 4 << 20, 4 << 20 };
	struct buf	list;
	int		status;
	pid_t		pid;

	(void)state;
#ifdef POSTERN_SANITIZE
	skip_because("test_memory",
	    "sanitizers reserve more address space than the limit");
#endif
	buf_init(&list, CRED_MAX);
	assert_int_equal(cred_make(S("x"), &(struct cred_cost){ 64 << 20, 1 },
	    &list), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		setrlimit(RLIMIT_AS, &r);
		_exit((int)cred_check(buf_str(&list), S("x"), dummy));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CRED_FAILED);
	buf_clear(&list);
}

/* -- SCRAM ------------------------------------------------------------ */

static void
unbase64(struct str text, struct buf *out)
{
	buf_reset(out);
	/* Some vectors end in a line end. */
	while (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	assert_int_equal(base64_decode(out, text), 0);
}

static void
check_vector(struct str object, struct buf *v, struct buf *salt)
{
	struct cred_scram	s;
	struct buf		password, want;
	uint64_t		iterations;

	buf_init(&password, 1000);
	buf_init(&want, 1000);
	json_get(object, "salt", v);
	unbase64(buf_str(v), salt);
	json_get(object, "iterations", v);
	assert_int_equal(str_u64(buf_str(v), UINT32_MAX, &iterations), 0);
	json_get(object, "password", v);
	assert_int_equal(text_saslprep(buf_str(v), true, &password), 0);
	cred_scram_make(buf_str(&password), buf_str(salt),
	    (uint32_t)iterations, &s);
	json_get(object, "StoredKey", v);
	unbase64(buf_str(v), &want);
	assert_int_equal(want.n, sizeof(s.stored));
	assert_memory_equal(s.stored, buf_str(&want).p, want.n);
	json_get(object, "ServerKey", v);
	unbase64(buf_str(v), &want);
	assert_memory_equal(s.server, buf_str(&want).p, want.n);
	buf_clear(&password);
	buf_clear(&want);
}

static void
test_scram_vectors(void **state)
{
	struct buf	file, v, salt;
	struct str	rest, object;
	int		n = 0;

	(void)state;
	buf_init(&v, 4096);
	buf_init(&salt, 1000);
	json_load("tests/data/sasl/scram-vectors.json", &file);
	rest = buf_str(&file);
	while (json_next(&rest, &object)) {
		json_get(object, "mechanism", &v);
		if (!str_starts(buf_str(&v), S("SCRAM-SHA-256")))
			continue;
		check_vector(object, &v, &salt);
		n++;
	}
	assert_int_equal(n, 6);
	buf_clear(&file);
	buf_clear(&v);
	buf_clear(&salt);
}

/* The words between quotes of "steps": [ ... ]. */
static void
take_steps(struct str object, struct str step[4])
{
	static char	text[4][1000];
	struct buf	one, out[4];
	struct str	s;
	ptrdiff_t	at = str_find(object, S("\"steps\""));
	int		i;

	assert_int_not_equal(at, -1);
	s = str_from(object, (size_t)at + 7);
	for (i = 0; i < 4; i++) {
		assert_true(str_cut(&s, '"', &step[i]));
		assert_true(str_cut(&s, '"', &step[i]));
		/* As the value of an object, to undo its escapes. */
		buf_init(&one, 4096);
		buf_addf(&one, "\"s\": \"%.*s\"", (int)step[i].n, step[i].p);
		buf_init(&out[i], sizeof(text[i]));
		assert_true(json_get(buf_str(&one), "s", &out[i]));
		memcpy(text[i], buf_str(&out[i]).p, out[i].n);
		step[i] = str_of(text[i], out[i].n);
		buf_clear(&out[i]);
		buf_clear(&one);
	}
}

/* A client's proof against a verifier, as a server would do it. */
static bool
proof_holds(const struct cred_scram *s, const struct str step[4])
{
	crypto_auth_hmacsha256_state	h;
	uint8_t				sig[32], key[32], hash[32];
	struct buf			b;
	ptrdiff_t			p = str_find(step[2], S(",p="));
	struct str			bare = str_from(step[0], 3);
	size_t				i;

	assert_true(str_starts(step[0], S("n,,")) && p != -1);
	buf_init(&b, 4096);
	buf_add(&b, bare);
	buf_addc(&b, ',');
	buf_add(&b, step[1]);
	buf_addc(&b, ',');
	buf_add(&b, str_sub(step[2], 0, (size_t)p));
	crypto_auth_hmacsha256_init(&h, s->stored, sizeof(s->stored));
	crypto_auth_hmacsha256_update(&h, (const uint8_t *)buf_str(&b).p,
	    b.n);
	crypto_auth_hmacsha256_final(&h, sig);
	buf_reset(&b);
	assert_int_equal(base64_decode(&b, str_from(step[2], (size_t)p + 3)),
	    0);
	assert_int_equal(b.n, 32);
	for (i = 0; i < 32; i++)
		key[i] = (uint8_t)(sig[i] ^ (uint8_t)buf_str(&b).p[i]);
	buf_clear(&b);
	crypto_hash_sha256(hash, key, sizeof(key));
	return memcmp(hash, s->stored, sizeof(hash)) == 0;
}

/* Whole dialogues: a verifier of ours accepts what their clients prove. */
static void
test_scram_dialogues(void **state)
{
	static const char *names[] = { "rfc7677", "sha-256-ascii",
	    "sha-256-ascii-pass", "sha-256-saslprep-normal",
	    "sha-256-saslprep-non-normal" };
	struct cred_scram	s;
	struct buf		file, v, salt, password;
	struct str		rest, object, step[4];
	char			path[100];
	size_t			i;

	(void)state;
	buf_init(&v, 4096);
	buf_init(&salt, 1000);
	buf_init(&password, 1000);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "tests/data/sasl/scram/%s.json",
		    names[i]);
		json_load(path, &file);
		rest = buf_str(&file);
		assert_true(json_next(&rest, &object));
		assert_true(json_get(object, "salt64", &v));
		unbase64(buf_str(&v), &salt);
		assert_true(json_get(object, "pass", &v));
		buf_reset(&password);
		assert_int_equal(text_saslprep(buf_str(&v), true, &password),
		    0);
		take_steps(object, step);
		cred_scram_make(buf_str(&password), buf_str(&salt), 4096, &s);
		if (!proof_holds(&s, step))
			fail_msg("%s", names[i]);
		s.stored[0] ^= 1;
		assert_false(proof_holds(&s, step));
		buf_clear(&file);
	}
	buf_clear(&v);
	buf_clear(&salt);
	buf_clear(&password);
}

/* What cred_make wrote is the verifier of the prepared password. */
static void
test_scram_made(void **state)
{
	struct cred_scram	got, want;
	struct buf		list;
	struct str		body;

	(void)state;
	make(S("p\xe2\x84\xabss"), &list);
	assert_true(cred_find(buf_str(&list), CRED_SCRAM_SHA256, &body));
	assert_int_equal(cred_scram_decode(body, &got), 0);
	assert_int_equal(got.iterations, CRED_ITERATIONS);
	assert_int_equal(got.salt.n, 16);
	cred_scram_make(S("p\xc3\x85ss"), got.salt, got.iterations, &want);
	assert_memory_equal(got.stored, want.stored, 32);
	assert_memory_equal(got.server, want.server, 32);
	buf_clear(&list);

	/* No SASLprep, or nothing left by it: no verifier. */
	make(S("\xff"), &list);
	assert_false(cred_find(buf_str(&list), CRED_SCRAM_SHA256, &body));
	buf_clear(&list);
	make(S("\xc2\xad"), &list);
	assert_false(cred_find(buf_str(&list), CRED_SCRAM_SHA256, &body));
	buf_clear(&list);
}

static void
test_scram_coding(void **state)
{
	struct cred_scram	s = { .iterations = 4096, .salt = S("salt") };
	struct cred_scram	got;
	struct buf		b;
	size_t			i;

	(void)state;
	memset(s.stored, 1, 32);
	memset(s.server, 2, 32);
	buf_init(&b, 1000);
	cred_scram_encode(&s, &b);
	assert_int_equal(cred_scram_decode(buf_str(&b), &got), 0);
	assert_int_equal(got.iterations, 4096);
	assert_true(str_eq(got.salt, S("salt")));
	assert_memory_equal(got.stored, s.stored, 32);
	assert_memory_equal(got.server, s.server, 32);
	for (i = 0; i < b.n; i++)
		assert_int_equal(cred_scram_decode(str_sub(buf_str(&b), 0, i),
		    &got), -1);
	buf_addc(&b, 'x');
	assert_int_equal(cred_scram_decode(buf_str(&b), &got), -1);
	put_u32(b.p, 0);
	b.n--;
	assert_int_equal(cred_scram_decode(buf_str(&b), &got), -1);
	put_u32(b.p, CRED_ITERATIONS_MAX + 1);
	assert_int_equal(cred_scram_decode(buf_str(&b), &got), -1);
	put_u32(b.p, CRED_ITERATIONS_MAX);
	assert_int_equal(cred_scram_decode(buf_str(&b), &got), 0);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_changed_strings),
		cmocka_unit_test(test_dummy),
		cmocka_unit_test(test_interchange),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_scram_vectors),
		cmocka_unit_test(test_scram_dialogues),
		cmocka_unit_test(test_scram_made),
		cmocka_unit_test(test_scram_coding),
	};

	if (sodium_init() == -1)
		return 1;
	if (text_init() == -1)
		return 1;
	if (cred_dummy(&cheap, dummy) == -1)
		return 1;
	return cmocka_run_group_tests_name("cred", tests, NULL, NULL);
}

/*
 * ipc_seeds_test - what the seeds of frame_fuzz and ticket_fuzz reach: all
 * that their parsers can answer, and of which kind it is.
 */
#include "tests/lib/unit.h"

#include "common/core/pack.h"
#include "common/ipc/frame.h"
#include "tests/lib/seeds.h"
#include "tests/lib/ticket_seed.h"

/* -- frames between a front and an owner ------------------------------ */

static bool results[SEEDS_STATES], types[SEEDS_STATES];
static bool hellos[SEEDS_STATES], services[SEEDS_STATES];

static const char *
frame_result_name(unsigned r)
{
	switch ((enum frame_result)r) {
		SEEDS_NAME(FRAME_GOT);
		SEEDS_NAME(FRAME_MORE);
		SEEDS_NAME(FRAME_BAD);
	}
	return NULL;
}

static const char *
frame_type_name(unsigned t)
{
	switch ((enum frame_type)t) {
		SEEDS_NAME(FRAME_HELLO);
		SEEDS_NAME(FRAME_READY);
		SEEDS_NAME(FRAME_UNAVAILABLE);
		SEEDS_NAME(FRAME_MOVED);
		SEEDS_NAME(FRAME_DATA);
		SEEDS_NAME(FRAME_CLOSE);
		SEEDS_NAME(FRAME_COMPRESS);
		SEEDS_NAME(FRAME_UNAUTHENTICATE);
		SEEDS_NAME(FRAME_PARK);
	}
	return NULL;
}

/* What becomes of a HELLO: taken, or what is wrong with it. */
enum hello_fact {
	HELLO_TAKEN, HELLO_RESUMES, HELLO_CUT, HELLO_OVER, HELLO_SERVICE,
	HELLO_CLIENT
};

static const char *
hello_name(unsigned f)
{
	switch ((enum hello_fact)f) {
		SEEDS_NAME(HELLO_TAKEN);
		SEEDS_NAME(HELLO_RESUMES);
		SEEDS_NAME(HELLO_CUT);
		SEEDS_NAME(HELLO_OVER);
		SEEDS_NAME(HELLO_SERVICE);
		SEEDS_NAME(HELLO_CLIENT);
	}
	return NULL;
}

static const char *
front_service_name(unsigned s)
{
	switch ((enum service)s) {
		SEEDS_NAME(SERVICE_IMAP);
		SEEDS_NAME(SERVICE_POP3);
	case SERVICE_SUBMISSION:	/* has no HELLO */
		break;
	}
	return NULL;
}

static enum hello_fact
why_refused(struct str body)
{
	struct unpack	u = unpack_of(body);
	uint8_t		service = unpack_u8(&u);
	struct str	client;

	unpack_u64(&u);
	unpack_str(&u, TICKET_MAX);
	client = unpack_str(&u, HELLO_CLIENT_MAX);
	unpack_str(&u, HELLO_RESUME_MAX);
	if (u.bad)
		return HELLO_CUT;
	if (u.s.n > 0)
		return HELLO_OVER;
	if (!str_is_print(client))
		return HELLO_CLIENT;
	assert_true(service != SERVICE_IMAP && service != SERVICE_POP3);
	return HELLO_SERVICE;
}

static void
play_hello(struct str body)
{
	struct hello h;

	if (hello_parse(body, &h) == -1) {
		hellos[why_refused(body)] = true;
		return;
	}
	hellos[h.resume.n > 0 ? HELLO_RESUMES : HELLO_TAKEN] = true;
	services[h.service] = true;
}

static void
play_frame(struct str in)
{
	enum frame_result	r;
	struct frame		f;
	size_t			used;

	while ((r = frame_next(in, &f, &used)) == FRAME_GOT) {
		results[r] = true;
		types[f.type] = true;
		if (f.type == FRAME_HELLO)
			play_hello(f.body);
		in = str_from(in, used);
	}
	results[r] = results[r] || in.n > 0;
}

static void
test_frame(void **state)
{
	(void)state;
	seeds_play("frame", play_frame);
	seeds_need("frame", frame_result_name, results);
	seeds_need("frame", frame_type_name, types);
	seeds_need("frame", hello_name, hellos);
	seeds_need("frame", front_service_name, services);
}

/* -- tickets ---------------------------------------------------------- */

static bool opened[SEEDS_STATES], kinds[SEEDS_STATES], users[SEEDS_STATES];

static const char *
ticket_result_name(unsigned r)
{
	switch ((enum ticket_result)r) {
		SEEDS_NAME(TICKET_GOOD);
		SEEDS_NAME(TICKET_FORGED);
		SEEDS_NAME(TICKET_UNKNOWN);
		SEEDS_NAME(TICKET_EXPIRED);
		SEEDS_NAME(TICKET_REPLAYED);
	}
	return NULL;
}

static const char *
ticket_kind_name(unsigned k)
{
	switch ((enum ticket_kind)k) {
		SEEDS_NAME(TICKET_LOGIN);
		SEEDS_NAME(TICKET_SUBMIT);
	}
	return NULL;
}

static const char *
service_name(unsigned s)
{
	switch ((enum service)s) {
		SEEDS_NAME(SERVICE_SUBMISSION);
		SEEDS_NAME(SERVICE_IMAP);
		SEEDS_NAME(SERVICE_POP3);
	}
	return NULL;
}

/* As ticket_fuzz has it: the second time is a replay. */
static void
play_ticket(struct str seed)
{
	struct ticket_replays	*seen = ticket_replays_new();
	struct ticket_keys	 k = { .n = 0 };
	struct ticket		 t;
	uint8_t			 out[TICKET_SEED_MAX];
	enum ticket_result	 r;
	int			 i;

	r = ticket_open(&k, ticket_seed(seed, &k, out), 0, &t);
	opened[r] = true;
	for (i = 0; r == TICKET_GOOD && i < 2; i++) {
		kinds[t.kind] = true;
		users[t.service] = true;
		opened[ticket_once(seen, &t, 0)] = true;
	}
	ticket_replays_free(seen);
}

static void
test_ticket(void **state)
{
	(void)state;
	seeds_play("ticket", play_ticket);
	seeds_need("ticket", ticket_result_name, opened);
	seeds_need("ticket", ticket_kind_name, kinds);
	seeds_need("ticket", service_name, users);
}

static int
setup(void **state)
{
	(void)state;
	return sodium_init() == -1 ? -1 : 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_ticket),
	};

	return cmocka_run_group_tests_name("ipc_seeds", tests, setup, NULL);
}

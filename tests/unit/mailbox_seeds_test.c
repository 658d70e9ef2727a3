/*
 * mailbox_seeds_test - what the seeds of record_fuzz reach: every record of
 * record.def decoded, refused and applied, and those that can fit ill, ill.
 */
#include "tests/lib/unit.h"

#include "mailboxd/state.h"
#include "tests/lib/seeds.h"

static bool decoded[SEEDS_STATES], refused[SEEDS_STATES];
static bool applied[SEEDS_STATES], unfit[SEEDS_STATES];
static bool facts[SEEDS_STATES];

static const char *
type_name(unsigned t)
{
	const char *name = record_name((uint8_t)t);

	return strcmp(name, "?") == 0 ? NULL : name;
}

/* Those that ask the state for something. */
static const char *
unfit_name(unsigned t)
{
	switch ((enum record_type)t) {
	case REC_MESSAGE:
	case REC_FLAGS:
	case REC_EXPUNGE:
	case REC_COPY:
	case REC_FOLDER:
	case REC_RENAME:
	case REC_REMOVE:
	case REC_KEYWORD:
	case REC_RECENT:
	case REC_ROW_FOLDER:
	case REC_ROW_MESSAGE:
		return type_name(t);
	case REC_SUBSCRIBE:
	case REC_DELIVERED:
	case REC_BODY:
	case REC_COUNTERS:
	case REC_ROW_BODY:
	case REC_ROW_SNAPSHOT:
	case REC_SNAPSHOT_BEGIN:
	case REC_SNAPSHOT_END:
	case REC_SNAPSHOT_ROWS:
		break;
	}
	return NULL;
}

enum fact {
	TYPE_UNKNOWN, PLACE_INLINE, PLACE_FILE, CODED_PLAIN, CODED_ZSTD,
	FLAGS_SET, FLAGS_ADDED, FLAGS_REMOVED, SUBSCRIBED, UNSUBSCRIBED,
	UIDS_LONG, LENIENT_FOLDER, LENIENT_KEYWORD, SNAPSHOT_WHOLE,
	SNAPSHOT_BROKEN
};

static const char *
fact_name(unsigned f)
{
	switch ((enum fact)f) {
		SEEDS_NAME(TYPE_UNKNOWN);
		SEEDS_NAME(PLACE_INLINE);
		SEEDS_NAME(PLACE_FILE);
		SEEDS_NAME(CODED_PLAIN);
		SEEDS_NAME(CODED_ZSTD);
		SEEDS_NAME(FLAGS_SET);
		SEEDS_NAME(FLAGS_ADDED);
		SEEDS_NAME(FLAGS_REMOVED);
		SEEDS_NAME(SUBSCRIBED);
		SEEDS_NAME(UNSUBSCRIBED);
		SEEDS_NAME(UIDS_LONG);
		SEEDS_NAME(LENIENT_FOLDER);
		SEEDS_NAME(LENIENT_KEYWORD);
		SEEDS_NAME(SNAPSHOT_WHOLE);
		SEEDS_NAME(SNAPSHOT_BROKEN);
	}
	return NULL;
}

static void
note_record(const struct record *r)
{
	if (r->type == REC_MESSAGE)
		facts[r->message.place == BODY_FILE ? PLACE_FILE :
		    PLACE_INLINE] = true;
	if (r->type == REC_BODY)
		facts[r->body.coding == CODING_ZSTD ? CODED_ZSTD :
		    CODED_PLAIN] = true;
	if (r->type == REC_FLAGS) {
		facts[FLAGS_SET + r->flags.how] = true;
		/* A number of more than one byte. */
		facts[UIDS_LONG] |= r->flags.uids.n > 2;
	}
	if (r->type == REC_SUBSCRIBE)
		facts[r->subscribe.on ? SUBSCRIBED : UNSUBSCRIBED] = true;
}

static void
note_state(const struct state *st)
{
	const struct state_folder	*f;
	size_t				 i;
	unsigned			 k;

	facts[SNAPSHOT_WHOLE] |= snaps_last(&st->snaps) != NULL;
	for (i = 0; i < st->nfolders; i++) {
		f = st->folders[i];
		facts[LENIENT_FOLDER] |= str_starts(f->name->name,
		    S("Recovered-"));
		for (k = 0; k < f->nkeywords; k++)
			facts[LENIENT_KEYWORD] |= str_starts(f->keywords[k],
			    S("recovered-"));
	}
}

/* The next record of a seed: type, id, length, metadata. */
static struct rec
take(struct str *s)
{
	struct rec r = { .type = (uint8_t)s->p[0], .id = (uint8_t)s->p[1] };

	r.meta = str_sub(*s, 4, (size_t)((uint8_t)s->p[2] << 8 |
	    (uint8_t)s->p[3]));
	*s = str_from(*s, 4 + r.meta.n);
	return r;
}

/* As record_fuzz does. */
static void
play(struct str s)
{
	struct recpos	pos = { 1, 0 };
	struct state	st;
	struct record	r;
	struct rec	rec;
	uint64_t	skipped;
	bool		sound, open;

	state_init(&st);
	st.lenient = s.n % 2 == 0;
	while (s.n >= 4) {
		rec = take(&s);
		pos.offset += 64;
		sound = record_decode(rec.type, rec.meta, &r) == 0;
		if (type_name(rec.type) == NULL)
			facts[TYPE_UNKNOWN] = true;
		(sound ? decoded : refused)[rec.type] = true;
		if (sound)
			note_record(&r);
		skipped = st.skipped;
		open = st.snaps.is_open;
		if (state_apply(&st, &rec, pos) == -1 ||
		    st.skipped > skipped) {
			unfit[rec.type] |= sound;
			if (!st.lenient)
				break;
			continue;
		}
		applied[rec.type] = true;
		facts[SNAPSHOT_BROKEN] |= open && !st.snaps.is_open &&
		    rec.type != REC_SNAPSHOT_END;
	}
	note_state(&st);
	state_clear(&st);
}

static void
test_record(void **state)
{
	(void)state;
	seeds_play("record", play);
	seeds_need("record (decoded)", type_name, decoded);
	seeds_need("record (refused)", type_name, refused);
	seeds_need("record (applied)", type_name, applied);
	seeds_need("record (unfit)", unfit_name, unfit);
	seeds_need("record", fact_name, facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests_name("mailbox_seeds", tests, NULL, NULL);
}

/*
 * date_fuzz - a date that is read is written and read again as the same.
 */
#include <assert.h>

#include "common/mail/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
again(int64_t t, int zone)
{
	struct date_text	text;
	int64_t			back;
	int			z;

	/* Within a zone's width of the ends, what is written is clamped. */
	if (t < -62135596800 + 360000 || t > 253402300799 - 360000)
		return;
	text = date_mail(t, zone);
	assert(date_parse_mail(str_c(text.s), &back, &z) == 0);
	assert(back == t && z == zone);
	text = date_imap(t, zone);
	assert(date_parse_imap(str_c(text.s), &back, &z) == 0);
	assert(back == t && z == zone);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str	s = str_of(p, n);
	int64_t		t;
	int32_t		day;
	int		zone;

	if (date_parse_mail(s, &t, &zone) == 0)
		again(t, zone);
	if (date_parse_imap(s, &t, &zone) == 0)
		again(t, zone);
	if (date_parse_day(s, &day) == 0)
		assert(date_day((int64_t)day * 86400, 0) == day);
	return 0;
}

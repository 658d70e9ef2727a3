/*
 * date - dates as mail writes them.
 *
 * A time is int64_t SECONDS since 1970 UTC; a zone is MINUTES east of UTC, as
 * written beside it.  Years go from 1 to 9999; a time outside that is written
 * as the nearest end of it.  Pure: the clock is the caller's.
 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include "common/core/str.h"

enum {
	DATE_MAIL_LEN = 31,	/* Fri, 20 Nov 2026 10:11:12 +0000 */
	DATE_IMAP_LEN = 26	/* 20-Nov-2026 10:11:12 +0000 */
};

struct date_text {
	char	s[32];
};

/* RFC 5322 3.3, NUL-terminated. */
struct date_text date_mail(int64_t t, int zone);

/* RFC 3501 date-time, without its quotes. */
struct date_text date_imap(int64_t t, int zone);

/*
 * RFC 5322 3.3 and 4.3: comments, obsolete zones, years of two and three
 * digits, seconds left out.  The name of the day must be one but need not be
 * right.  -1 for anything else, and for a date that does not exist.
 */
int		date_parse_mail(struct str, int64_t *t, int *zone);

/* RFC 3501 date-time, without its quotes: 26 bytes, exactly. */
int		date_parse_imap(struct str, int64_t *t, int *zone);

/*
 * Days since 1970-01-01 as a calendar on the wall of that zone shows them;
 * what SEARCH compares (RFC 3501 6.4.4: time and zone are disregarded).
 */
int32_t		date_day(int64_t t, int zone);

/* RFC 3501 date, d-Mon-yyyy or dd-Mon-yyyy, as such a day. */
int		date_parse_day(struct str, int32_t *day);

#endif

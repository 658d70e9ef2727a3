/*
 * date - see date.h.  Pure.
 */
#include "common/mail/date.h"

#include <stdio.h>

enum {
	DAY_S = 86400,
	YEAR_MAX = 9999,
	ZONE_MAX = 99 * 60 + 59		/* minutes; four digits */
};

/* Of 0001-01-01 00:00:00 and 9999-12-31 23:59:59. */
static const int64_t first_second = -62135596800;
static const int64_t last_second = 253402300799;

static const char months[][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};
/* 1970-01-01 was a Thursday. */
static const char weekdays[][4] = {
	"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"
};

/* RFC 5322 4.3; any other name means that nobody knows: zero. */
static const struct {
	struct str	name;
	int		minutes;
} zones[] = {
	{ STR_INIT("EST"), -300 }, { STR_INIT("EDT"), -240 },
	{ STR_INIT("CST"), -360 }, { STR_INIT("CDT"), -300 },
	{ STR_INIT("MST"), -420 }, { STR_INIT("MDT"), -360 },
	{ STR_INIT("PST"), -480 }, { STR_INIT("PDT"), -420 },
};

struct civil {
	int	year, month, day;	/* month from 1 */
	int	hour, min, sec;
};

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int year, int month)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 0001-01-01 to the first day of that year. */
static int32_t
year_days(int year)
{
	int y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400;
}

static int32_t
civil_day(const struct civil *c)
{
	int32_t	d = year_days(c->year) - year_days(1970) + c->day - 1;
	int	m;

	for (m = 1; m < c->month; m++)
		d += month_days(c->year, m);
	return d;
}

/* The wall clock of a zone as seconds; inside the years that we write. */
static int64_t
wall(int64_t t, int zone)
{
	if (t < first_second)
		t = first_second;
	if (t > last_second)
		t = last_second;
	t += zone * 60;
	if (t < first_second)
		t = first_second;
	return t > last_second ? last_second : t;
}

static int32_t
floor_day(int64_t w)
{
	return (int32_t)((w - (w < 0 ? DAY_S - 1 : 0)) / DAY_S);
}

static struct civil
civil_of(int64_t w)
{
	int32_t		day = floor_day(w), left;
	int		sec = (int)(w - (int64_t)day * DAY_S);
	struct civil	c = { .month = 1 };

	left = day + year_days(1970);
	c.year = left / 366 + 1;
	while (year_days(c.year + 1) <= left)
		c.year++;
	left -= year_days(c.year);
	while (left >= month_days(c.year, c.month))
		left -= month_days(c.year, c.month++);
	c.day = left + 1;
	c.hour = sec / 3600;
	c.min = sec / 60 % 60;
	c.sec = sec % 60;
	return c;
}

/* A zone of more than four digits cannot be written; nobody has one. */
static int
clamp_zone(int zone)
{
	return zone < -ZONE_MAX || zone > ZONE_MAX ? 0 : zone;
}

struct date_text
date_mail(int64_t t, int zone)
{
	struct date_text	out;
	struct civil		c;
	int64_t			w;
	int			abs;

	zone = clamp_zone(zone);
	w = wall(t, zone);
	c = civil_of(w);
	abs = zone < 0 ? -zone : zone;
	snprintf(out.s, sizeof(out.s),
	    "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d",
	    weekdays[((floor_day(w) % 7) + 7) % 7], c.day, months[c.month - 1],
	    c.year, c.hour, c.min, c.sec, zone < 0 ? '-' : '+', abs / 60,
	    abs % 60);
	return out;
}

struct date_text
date_imap(int64_t t, int zone)
{
	struct date_text	out;
	struct civil		c;
	int			abs;

	zone = clamp_zone(zone);
	c = civil_of(wall(t, zone));
	abs = zone < 0 ? -zone : zone;
	snprintf(out.s, sizeof(out.s),
	    "%2d-%s-%04d %02d:%02d:%02d %c%02d%02d", c.day,
	    months[c.month - 1], c.year, c.hour, c.min, c.sec,
	    zone < 0 ? '-' : '+', abs / 60, abs % 60);
	return out;
}

int32_t
date_day(int64_t t, int zone)
{
	return floor_day(wall(t, clamp_zone(zone)));
}

/*
 * Reading.  Each take_x cuts what it wants off the front of *s.
 */
static int
take_char(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return -1;
	*s = str_from(*s, 1);
	return 0;
}

/* A number of min to max digits; a digit more is an error. */
static int
take_num(struct str *s, size_t min, size_t max, int *out)
{
	uint64_t	v;
	size_t		n = 0;

	while (n < s->n && ascii_isdigit(s->p[n]))
		n++;
	if (n < min || n > max || str_u64(str_sub(*s, 0, n), 99999, &v) == -1)
		return -1;
	*out = (int)v;
	*s = str_from(*s, n);
	return 0;
}

static struct str
take_word(struct str *s)
{
	struct str	word;
	size_t		n = 0;

	while (n < s->n && ascii_isalpha(s->p[n]))
		n++;
	word = str_sub(*s, 0, n);
	*s = str_from(*s, n);
	return word;
}

static int
take_month(struct str *s, int *month)
{
	struct str	word = take_word(s);
	int		i;

	for (i = 0; i < 12; i++) {
		if (str_ieq(word, str_c(months[i]))) {
			*month = i + 1;
			return 0;
		}
	}
	return -1;
}

static int
finish(const struct civil *c, int zone, int64_t *t)
{
	if (c->year < 1 || c->year > YEAR_MAX || c->month < 1 || c->day < 1 ||
	    c->day > month_days(c->year, c->month) || c->hour > 23 ||
	    c->min > 59 || c->sec > 60)
		return -1;
	*t = (int64_t)civil_day(c) * DAY_S + c->hour * 3600 + c->min * 60 +
	    c->sec - zone * 60;
	return 0;
}

/* RFC 3501 zone: a sign and four digits, no more. */
static int
take_offset(struct str *s, int *zone)
{
	int	v, sign;

	if (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-'))
		return -1;
	sign = s->p[0] == '-' ? -1 : 1;
	*s = str_from(*s, 1);
	if (take_num(s, 4, 4, &v) == -1 || v % 100 > 59)
		return -1;
	*zone = sign * (v / 100 * 60 + v % 100);
	return 0;
}

/*
 * Spaces, folds and comments.  A comment may hold comments and quoted pairs;
 * one that never ends makes the whole a bad date.  RFC 5322 3.2.2.
 */
static int
skip_cfws(struct str *s)
{
	size_t	i, depth = 0;

	for (i = 0; i < s->n; i++) {
		if (depth > 0 && s->p[i] == '\\')
			i++;
		else if (s->p[i] == '(')
			depth++;
		else if (depth > 0)
			depth -= s->p[i] == ')';
		else if (s->p[i] != ' ' && s->p[i] != '\t' &&
		    s->p[i] != '\r' && s->p[i] != '\n')
			break;
	}
	*s = str_from(*s, i);
	return depth > 0 ? -1 : 0;
}

static int
take_weekday(struct str *s)
{
	struct str	word = take_word(s);
	int		i;

	if (word.n == 0)
		return 0;
	for (i = 0; i < 7; i++) {
		if (str_ieq(word, str_c(weekdays[i])))
			break;
	}
	if (i == 7 || skip_cfws(s) == -1 || take_char(s, ',') == -1)
		return -1;
	return skip_cfws(s);
}

static int
take_year(struct str *s, int *year)
{
	size_t before = s->n;

	if (take_num(s, 2, 4, year) == -1)
		return -1;
	/* RFC 5322 4.3 */
	if (before - s->n == 2)
		*year += *year < 50 ? 2000 : 1900;
	else if (before - s->n == 3)
		*year += 1900;
	return 0;
}

static int
take_time(struct str *s, struct civil *c)
{
	if (take_num(s, 1, 2, &c->hour) == -1 || skip_cfws(s) == -1 ||
	    take_char(s, ':') == -1 || skip_cfws(s) == -1 ||
	    take_num(s, 2, 2, &c->min) == -1 || skip_cfws(s) == -1)
		return -1;
	if (take_char(s, ':') == -1)
		return 0;
	if (skip_cfws(s) == -1 || take_num(s, 2, 2, &c->sec) == -1)
		return -1;
	return skip_cfws(s);
}

static int
take_zone(struct str *s, int *zone)
{
	struct str	word;
	size_t		i;

	*zone = 0;
	if (s->n > 0 && (s->p[0] == '+' || s->p[0] == '-'))
		return take_offset(s, zone);
	word = take_word(s);
	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (str_ieq(word, zones[i].name))
			*zone = zones[i].minutes;
	}
	return word.n == 0 ? -1 : 0;
}

int
date_parse_mail(struct str s, int64_t *t, int *zone)
{
	struct civil c = { 0 };

	if (skip_cfws(&s) == -1 || take_weekday(&s) == -1 ||
	    take_num(&s, 1, 2, &c.day) == -1 || skip_cfws(&s) == -1 ||
	    take_month(&s, &c.month) == -1 || skip_cfws(&s) == -1 ||
	    take_year(&s, &c.year) == -1 || skip_cfws(&s) == -1 ||
	    take_time(&s, &c) == -1 || take_zone(&s, zone) == -1 ||
	    skip_cfws(&s) == -1 || s.n > 0)
		return -1;
	return finish(&c, *zone, t);
}

static int
take_imap_date(struct str *s, struct civil *c, size_t min)
{
	if (take_num(s, min, 2, &c->day) == -1 || take_char(s, '-') == -1 ||
	    take_month(s, &c->month) == -1 || take_char(s, '-') == -1)
		return -1;
	return take_num(s, 4, 4, &c->year);
}

int
date_parse_imap(struct str s, int64_t *t, int *zone)
{
	struct civil	c = { 0 };
	bool		space = str_starts(s, S(" "));

	if (s.n != DATE_IMAP_LEN)
		return -1;
	s = str_from(s, space);
	if (take_imap_date(&s, &c, space ? 1 : 2) == -1 ||
	    take_char(&s, ' ') == -1 ||
	    take_num(&s, 2, 2, &c.hour) == -1 || take_char(&s, ':') == -1 ||
	    take_num(&s, 2, 2, &c.min) == -1 || take_char(&s, ':') == -1 ||
	    take_num(&s, 2, 2, &c.sec) == -1 || take_char(&s, ' ') == -1 ||
	    take_offset(&s, zone) == -1 || s.n > 0)
		return -1;
	return finish(&c, *zone, t);
}

int
date_parse_day(struct str s, int32_t *day)
{
	struct civil	c = { 0 };
	int64_t		t;

	if (take_imap_date(&s, &c, 1) == -1 || s.n > 0 ||
	    finish(&c, 0, &t) == -1)
		return -1;
	*day = civil_day(&c);
	return 0;
}

/*
 * smtp_cmd - see smtp_cmd.h.  Pure.
 */
#include "smtpd/smtp_cmd.h"

#include "common/mail/esmtp.h"

static const struct {
	struct str	name;
	enum smtp_verb	verb;
} verbs[] = {
	{ STR_INIT("HELO"), V_HELO },
	{ STR_INIT("EHLO"), V_EHLO },
	{ STR_INIT("MAIL"), V_MAIL },
	{ STR_INIT("RCPT"), V_RCPT },
	{ STR_INIT("DATA"), V_DATA },
	{ STR_INIT("RSET"), V_RSET },
	{ STR_INIT("NOOP"), V_NOOP },
	{ STR_INIT("VRFY"), V_VRFY },
	{ STR_INIT("HELP"), V_HELP },
	{ STR_INIT("QUIT"), V_QUIT },
	{ STR_INIT("AUTH"), V_AUTH },
	{ STR_INIT("EXPN"), V_ELSEWHERE },
	{ STR_INIT("BDAT"), V_ELSEWHERE },
	{ STR_INIT("STARTTLS"), V_ELSEWHERE },
	{ STR_INIT("ETRN"), V_ELSEWHERE },
	{ STR_INIT("TURN"), V_ELSEWHERE },
	{ STR_INIT("SEND"), V_ELSEWHERE },
	{ STR_INIT("SOML"), V_ELSEWHERE },
	{ STR_INIT("SAML"), V_ELSEWHERE },
};

static struct str
trim_end(struct str s)
{
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

enum smtp_verb
smtp_verb(struct str line, struct str *arg)
{
	ptrdiff_t	at = str_chr(line, ' ');
	struct str	word = at == -1 ? line : str_sub(line, 0, (size_t)at);
	size_t		i;

	*arg = trim_end(str_from(line, word.n + 1));
	word = trim_end(word);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (str_ieq(word, verbs[i].name))
			return verbs[i].verb;
	}
	return V_BAD;
}

/* The path behind FROM: or TO:, with the space that many clients put there. */
static enum smtp_reply
parse_path(struct str *arg, struct str keyword, enum smtp_reply bad,
    struct addr *a)
{
	if (!str_istarts(*arg, keyword))
		return SMTP_ARGUMENT;
	*arg = str_from(*arg, keyword.n);
	while (arg->n > 0 && arg->p[0] == ' ')
		*arg = str_from(*arg, 1);
	switch (addr_parse_path(*arg, a, arg)) {
	case ADDR_OK:
		return SMTP_NONE;
	case ADDR_NOT_ASCII:
		return SMTP_UTF8;
	case ADDR_SYNTAX:
	case ADDR_LOCAL_LONG:
	case ADDR_DOMAIN_LONG:
	case ADDR_PATH_LONG:
		return bad;
	}
	return bad;
}

enum {
	SEEN_SIZE = 1,
	SEEN_BODY = 2,
	SEEN_AUTH = 4
};

static bool
is_xtext(struct str s)
{
	char	scratch[4096];
	size_t	n;

	return s.n <= sizeof(scratch) && xtext_decode(s, scratch, &n) == 0;
}

/*
 * A parameter that we do not announce.  What the DSN extension would carry
 * is looked at first: an encoded line break is an attack, not a dialect.
 */
static enum smtp_reply
foreign_param(const struct esmtp_param *p)
{
	if ((str_ieq(p->key, S("ENVID")) || str_ieq(p->key, S("ORCPT")) ||
	    str_ieq(p->key, S("AUTH"))) && !is_xtext(p->value))
		return SMTP_ARGUMENT;
	return SMTP_PARAM;
}

static enum smtp_reply
mail_size(struct str value, uint64_t max, struct smtp_mail *m)
{
	/* RFC 1870 4: up to twenty digits; a number over 2^64 is no error. */
	size_t	i;

	for (i = 0; i < value.n; i++) {
		if (!ascii_isdigit(value.p[i]))
			return SMTP_ARGUMENT;
	}
	if (value.n < 1 || value.n > 20)
		return SMTP_ARGUMENT;
	return str_u64(value, max, &m->size) == -1 ? SMTP_TOO_BIG : SMTP_NONE;
}

static enum smtp_reply
mail_param(const struct esmtp_param *p, uint64_t size_max, bool auth,
    unsigned *seen, struct smtp_mail *m)
{
	unsigned bit;

	if (str_ieq(p->key, S("SIZE")))
		bit = SEEN_SIZE;
	else if (str_ieq(p->key, S("BODY")))
		bit = SEEN_BODY;
	else if (auth && str_ieq(p->key, S("AUTH")))
		bit = SEEN_AUTH;
	else
		return foreign_param(p);
	if (*seen & bit)
		return SMTP_ARGUMENT;
	*seen |= bit;
	if (bit == SEEN_SIZE)
		return mail_size(p->value, size_max, m);
	/* Checked and forgotten, as RFC 4954 5 allows. */
	if (bit == SEEN_AUTH)
		return p->value.n > 0 && (str_eq(p->value, S("<>")) ||
		    is_xtext(p->value)) ? SMTP_NONE : SMTP_ARGUMENT;
	m->eight = str_ieq(p->value, S("8BITMIME"));
	return m->eight || str_ieq(p->value, S("7BIT")) ? SMTP_NONE :
	    SMTP_ARGUMENT;
}

enum smtp_reply
smtp_parse_mail(struct str arg, uint64_t size_max, bool auth,
    struct smtp_mail *m)
{
	struct esmtp_param	p;
	enum smtp_reply		r;
	unsigned		seen = 0;
	int			more;

	*m = (struct smtp_mail){ .size = 0 };
	r = parse_path(&arg, S("FROM:"), SMTP_SENDER, &m->sender);
	if (r == SMTP_NONE && m->sender.kind == ADDR_POSTMASTER)
		r = SMTP_SENDER;
	while (r == SMTP_NONE) {
		more = esmtp_param(&arg, &p);
		if (more == 0)
			break;
		r = more == -1 ? SMTP_ARGUMENT :
		    mail_param(&p, size_max, auth, &seen, m);
	}
	return r;
}

enum smtp_reply
smtp_parse_rcpt(struct str arg, struct addr *a)
{
	struct esmtp_param	p;
	enum smtp_reply		r;

	r = parse_path(&arg, S("TO:"), SMTP_RCPT, a);
	if (r != SMTP_NONE)
		return r;
	if (a->kind == ADDR_NULL)
		return SMTP_RCPT;
	switch (esmtp_param(&arg, &p)) {
	case 0:
		return SMTP_NONE;
	case 1:
		return foreign_param(&p);
	}
	return SMTP_ARGUMENT;
}

bool
smtp_is_helo(struct str arg)
{
	return arg.n > 0 && arg.n <= ADDR_DOMAIN_MAX && str_is_print(arg) &&
	    str_chr(arg, ' ') == -1;
}

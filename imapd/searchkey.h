/*
 * searchkey - the keys of a SEARCH, RFC 3501 6.4.4: the words of the command
 * as a tree, and its verdict on what is known of a message.
 *
 * A verdict has three values, so that a message is read only when its flags,
 * numbers and dates do not settle the matter.  Depth and number of keys are
 * capped; recursion is as deep as that cap and no deeper.  Texts are compared
 * in the form that haystack.h gives them: decoded, and case does not count.
 * Pure.
 */
#ifndef IMAPD_SEARCHKEY_H
#define IMAPD_SEARCHKEY_H

#include "common/mail/store.h"
#include "imapd/match.h"
#include "imapd/parse.h"
#include "imapd/seqset.h"

enum {
	SEARCH_DEPTH_MAX = 32,		/* nesting: BAD [TOOBIG] */
	SEARCH_KEYS_MAX = 1000,		/* keys: the same */
	SEARCH_TEXT_MAX = 1024		/* bytes of a text: the same */
};

enum search_op {
	SEARCH_AND,		/* and all below */
	SEARCH_OR,
	SEARCH_NOT,
	SEARCH_FLAG,
	SEARCH_UNFLAG,
	SEARCH_NEW,
	SEARCH_OLD,
	SEARCH_RECENT,
	SEARCH_KEYWORD,
	SEARCH_UNKEYWORD,
	SEARCH_SEQ,
	SEARCH_UID,
	SEARCH_LARGER,
	SEARCH_SMALLER,
	SEARCH_BEFORE,
	SEARCH_ON,
	SEARCH_SINCE,
	SEARCH_SENTBEFORE,
	SEARCH_SENTON,
	SEARCH_SENTSINCE,
	SEARCH_HEADER,
	SEARCH_BODY,
	SEARCH_TEXT
};

enum verdict {
	VERDICT_UNKNOWN,
	VERDICT_NO,
	VERDICT_YES
};

struct search_key {
	enum search_op	op;
	unsigned	child, next;	/* 0: none; the root is nobody's */
	uint8_t		flag;
	int		keyword;	/* -1: no message has it */
	uint32_t	number;
	int32_t		day;
	struct str	name;		/* of a field or keyword, borrowed */
	struct seqset	set;
	/* On the present message. */
	struct match	match;
	bool		hit;		/* the text was found */
	enum verdict	verdict;
};

struct search_tree {
	struct search_key	*keys;	/* [0] is the root, an AND */
	unsigned		 n, cap;
	struct search_key	**texts;	/* BODY and TEXT */
	unsigned		 ntexts;
	struct search_key	**fields;	/* HEADER, those of a name
						   together */
	unsigned		 nfields;
	bool			 has_sent;	/* one is about its Date */
	bool			 bad_charset;
};

/*
 * What is known of a message.  The matchers of the texts are fed by sift.h,
 * and the caller says how far: `header` when all fields have been there that
 * a key names, and `sent` is set; `body` when all of the message has.
 */
struct search_facts {
	const struct store_msg	*msg;
	uint32_t		 number;
	bool			 recent;
	bool			 header, body;
	bool			 has_sent;	/* a Date, the day on it */
	int32_t			 sent;
};

void	search_tree_clear(struct search_tree *);
/* All that follows SEARCH.  The sets are not resolved yet. */
int	search_tree_parse(struct parse *, struct search_tree *);
/* A new message: nothing is known of it. */
void	search_tree_reset(struct search_tree *);
/* The keys about fields of that name, n of them. */
struct search_key **search_tree_named(const struct search_tree *,
	    struct str name, unsigned *n);
/* The day on the Date field; false when there is none to be read. */
bool	search_sent_day(struct str header, int32_t *day);
enum verdict search_tree_judge(struct search_tree *,
	    const struct search_facts *);

#endif

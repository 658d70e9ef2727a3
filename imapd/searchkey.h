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
	struct match	match;
	struct seqset	set;
	enum verdict	verdict;	/* on the present message */
};

struct search_tree {
	struct search_key	*keys;	/* [0] is the root, an AND */
	unsigned		 n, cap;
	unsigned		 ntexts;	/* BODY and TEXT */
	bool			 bad_charset;
};

/*
 * What is known of a message.  Header NULL: not read yet.  The matchers of
 * BODY and TEXT are fed by search_tree_feed, and the caller says when the end
 * has come.
 */
struct search_facts {
	const struct store_msg	*msg;
	uint32_t		 number;
	bool			 recent;
	const struct buf	*header;
	bool			 body_done;
};

void	search_tree_clear(struct search_tree *);
/* All that follows SEARCH.  The sets are not resolved yet. */
int	search_tree_parse(struct parse *, struct search_tree *);
/* A new message: nothing is known of it. */
void	search_tree_reset(struct search_tree *);
/* Folded text; `header` is that of the message itself: not for BODY. */
void	search_tree_feed(struct search_tree *, struct str text, bool header);
enum verdict search_tree_judge(struct search_tree *,
	    const struct search_facts *);

#endif

/*
 * fetchatt - what a FETCH asks for, RFC 3501 6.4.5: the words of the command
 * as values.  Pure.
 */
#ifndef IMAPD_FETCHATT_H
#define IMAPD_FETCHATT_H

#include "imapd/parse.h"

enum {
	FETCH_ITEMS_MAX = 100,		/* in a command: BAD [TOOBIG] */
	FETCH_NAMES_MAX = 128,		/* of header fields: the same */
	FETCH_NUMBERS_MAX = 32		/* of a part, 1.1.1: the same */
};

enum fetch_kind {
	FETCH_FLAGS,
	FETCH_UID,
	FETCH_DATE,
	FETCH_SIZE,
	FETCH_ENVELOPE,
	FETCH_STRUCTURE,	/* BODY */
	FETCH_BODYSTRUCTURE,
	FETCH_BODY		/* BODY[...] and the RFC822 forms */
};

enum section_kind {
	SECTION_ALL,
	SECTION_HEADER,
	SECTION_FIELDS,
	SECTION_FIELDS_NOT,
	SECTION_TEXT,
	SECTION_MIME
};

struct fetch_item {
	enum fetch_kind		kind;
	enum section_kind	section;
	const char		*alias;		/* "RFC822.TEXT" and such */
	unsigned		 name, nnames;	/* into names */
	uint32_t		 numbers[FETCH_NUMBERS_MAX];
	unsigned		 nnumbers;	/* 0: of the message */
	uint32_t		 from, len;	/* of a partial */
	bool			 partial;
	bool			 peek;
};

struct fetch_att {
	struct fetch_item	 items[FETCH_ITEMS_MAX];
	unsigned		 n;
	struct str		 names[FETCH_NAMES_MAX]; /* borrowed */
	unsigned		 nnames;
};

/* Up to the end of the command. */
int	fetch_att_parse(struct parse *, struct fetch_att *);
bool	fetch_att_has(const struct fetch_att *, enum fetch_kind);

#endif

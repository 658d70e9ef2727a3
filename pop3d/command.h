/*
 * command - a line of a POP3 client cut into verb and argument, and the list
 * of capabilities: what login and session have in common.  Pure.
 *
 * A line ends in CRLF and in nothing else.  RFC 1939 section 3, RFC 2449.
 */
#ifndef POP3D_COMMAND_H
#define POP3D_COMMAND_H

#include "common/core/buf.h"

enum { POP3_LINE_MAX = 255 };	/* with CRLF; RFC 2449 section 4 */

enum pop3_cut {
	POP3_GOT,
	POP3_MORE,
	POP3_BAD		/* over its length, or a CR, LF or NUL in it */
};

struct pop3_command {
	struct str	verb;	/* as the client wrote it */
	struct str	arg;	/* all behind the first space; p NULL: none */
	struct str	line;
};

/*
 * The command at the front of the input; the caller drops *used bytes in
 * every case.  Of a line over max nothing is kept: *skip remembers, between
 * calls, that its end is still to come.
 */
enum pop3_cut	pop3_cut(struct str in, size_t max, bool *skip,
		    struct pop3_command *, size_t *used);

/* CAPA's whole answer; `login` says whether passwords are taken here. */
void		pop3_capa(struct buf *out, bool login);

#endif

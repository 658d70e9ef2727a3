/*
 * print - answers as an operator reads them (a table, or "key: value" lines)
 * or as JSON.  Values may hold foreign text: nothing unprintable reaches a
 * terminal.
 */
#ifndef MAILCTL_PRINT_H
#define MAILCTL_PRINT_H

#include "common/ipc/msg.h"

enum print_shape {
	PRINT_TABLE,		/* a list: JSON array */
	PRINT_ONE		/* one thing: JSON object */
};

struct printer;
struct printer	*print_new(enum print_shape, bool json);
void		 print_row(struct printer *, struct msg_list columns);
/* A page of a table is complete. */
void		 print_page(struct printer *);
/* What the daemon says at the end. */
void		 print_text(struct printer *, struct str);
/* The end; frees it.  Without rows and with JSON: [] or {}. */
void		 print_end(struct printer *);

/* A JSON string with its quotes. */
void		 print_json_str(struct buf *, struct str);

#endif

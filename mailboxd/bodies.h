/*
 * bodies - the part of the store that gives out the octets of messages.
 * Functions of struct store_ops; impl is the mbox.
 */
#ifndef MAILBOXD_BODIES_H
#define MAILBOXD_BODIES_H

#include "common/mail/store.h"

struct mbox;
struct state_body;

enum store_result bodies_open(void *, struct store_folder *, uint32_t uid,
		    struct store_body **);
enum store_result bodies_read(void *, struct store_body *, uint32_t from,
		    size_t n, struct buf *out);
void		 bodies_close(void *, struct store_body *);

/* store.c */
enum store_result store_read(struct mbox *, const struct state_body *,
		    uint64_t from, size_t n, struct buf *out);

#endif

/*
 * reading - the part of the store that changes nothing: names, counts, octets.
 * Functions of struct store_ops; impl is the mbox.
 */
#ifndef MAILBOXD_READING_H
#define MAILBOXD_READING_H

#include "common/mail/store.h"

struct mbox;
struct state_body;
struct state_folder;

enum store_result reading_next(void *, struct str after,
		    struct store_name *);
enum store_result reading_status(void *, struct str name, bool recent,
		    struct store_status *);
enum store_result reading_body_open(void *, struct store_folder *,
		    uint32_t uid, struct store_body **);
enum store_result reading_body_read(void *, struct store_body *,
		    uint32_t from, size_t n, struct buf *out);
void		 reading_body_close(void *, struct store_body *);

/* What reading.c wants of store.c.  store_named: NULL when there is none. */
struct state_folder *store_named(struct mbox *, struct str name);
enum store_result store_open(void *, struct str name,
		    struct store_folder **);
void		 store_close(void *, struct store_folder *);
enum store_result store_read(struct mbox *, const struct state_body *,
		    uint64_t from, size_t n, struct buf *out);

#endif

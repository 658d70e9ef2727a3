/*
 * folders - the part of the store that changes names: create, remove,
 * rename, subscribe.  Functions of struct store_ops; impl is the mbox.
 */
#ifndef MAILBOXD_FOLDERS_H
#define MAILBOXD_FOLDERS_H

#include "common/mail/store.h"

struct mbox;
struct state_folder;

enum store_result folders_create(void *, struct str name);
enum store_result folders_remove(void *, struct str name);
enum store_result folders_rename(void *, struct str from, struct str to);
enum store_result folders_subscribe(void *, struct str name, bool on);

/* store.c; the UIDs are there, and there is room. */
enum store_result store_copy(struct mbox *, struct state_folder *from,
		    const uint32_t *uids, size_t n, struct state_folder *to);
void		 store_expunge(struct mbox *, struct state_folder *,
		    const uint32_t *uids, size_t n, uint64_t modseq);

#endif

/*
 * usage - what mailboxes and tenants hold, against what they may.
 *
 * Owners report their mailboxes.  What was reported is written to the
 * directory in one transaction when it has waited USAGE_WRITE_MS, or when
 * USAGE_WAIT_MAX mailboxes wait.  An authd that dies loses so much of it at
 * most, and of live mailboxes nothing: they are reported again.
 */
#ifndef AUTHD_USAGE_H
#define AUTHD_USAGE_H

#include "authd/directory.h"

enum {
	USAGE_WRITE_MS = 10 * 1000,
	USAGE_WAIT_MAX = 4096
};

enum usage_verdict {
	USAGE_OK,
	USAGE_NEAR,		/* 90 % of a limit */
	USAGE_OVER		/* no room for that */
};

struct usage;

/* Borrows the directory.  Settings are there. */
struct usage	*usage_new(struct dir *);
/* Writes what waits. */
void		 usage_free(struct usage *);
void		 usage_write(struct usage *);

void		 usage_report(struct usage *, const struct dir_account *,
		    struct dir_quota used);
/* The account was removed. */
void		 usage_forget(struct usage *, const struct dir_account *);
/* The tenant has another quota now. */
void		 usage_set_tenant(struct usage *, uint32_t tenant,
		    struct dir_quota);

struct dir_quota usage_of(struct usage *, uint64_t mailbox);
struct dir_quota usage_of_tenant(const struct usage *, uint32_t tenant);
/* What counts: the account's own, else that of the settings. */
struct dir_quota usage_limit(const struct dir_account *);
enum usage_verdict usage_of_limit(struct dir_quota limit,
		    struct dir_quota used, uint64_t size);
/* A message of that size (0: not known) for that account; its tenant too. */
enum usage_verdict usage_verdict(struct usage *, const struct dir_account *,
		    uint64_t size);

#endif

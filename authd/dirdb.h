/*
 * dirdb - the inside of the directory, for the files that implement it:
 * directory.c has the database; domain.c, user.c, alias.c and tenant.c have
 * the rows.
 *
 * A str that dir_get or dir_seek gives is borrowed until the next call.
 */
#ifndef AUTHD_DIRDB_H
#define AUTHD_DIRDB_H

#include "authd/directory.h"

struct dir_key {
	char	p[1 + DIR_TEXT_MAX + 1];
	size_t	n;
};

struct dir_key	 dir_key_text(char table, struct str);
/* Of an address in canonical form: sorted by domain. */
struct dir_key	 dir_key_address(char table, struct str address);
struct dir_key	 dir_key_id(char table, uint64_t id);
void		 dir_key_to_address(struct str key,
		    char out[DIR_TEXT_MAX + 1]);

bool		 dir_get(struct dir *, struct dir_key, struct str *value);
bool		 dir_has(struct dir *, struct dir_key);
/* The first row not below `from`, or if `behind` the first above it. */
bool		 dir_seek(struct dir *, struct dir_key from, bool behind,
		    struct str *key, struct str *value);

/* Changes are made between begin and finish, which returns its argument. */
void		 dir_begin(struct dir *);
void		 dir_put(struct dir *, struct dir_key, struct str value);
void		 dir_del(struct dir *, struct dir_key);
void		 dir_put_number(struct dir *, struct dir_key, uint64_t);
uint64_t	 dir_get_number(struct dir *, struct dir_key);
/* Commits and syncs if it is DIR_OK, else takes everything back. */
enum dir_result	 dir_finish(struct dir *, enum dir_result);

/* tenant.c */
void		 dir_put_tenant(struct dir *, struct str name, uint32_t tenant,
		    struct dir_quota);
/* Of a mailbox that goes, in the transaction that removes it. */
void		 dir_usage_drop(struct dir *, uint64_t mailbox);

uint64_t	 dir_mailboxes_max(const struct dir *);
/* Who reads postmaster's mail there; NULL for nobody. */
const char	*dir_postmaster(const struct dir *, struct str domain,
		    bool is_ours);

/* Canonical form of an address, and its domain's tenant. */
enum dir_result	 dir_our_address(struct dir *, struct str,
		    char out[DIR_TEXT_MAX + 1], uint32_t *tenant);

/*
 * The next row of a table of addresses: of that domain unless it is empty,
 * behind the address `after` unless that is empty.
 */
enum dir_result	 dir_next_address(struct dir *, char table, struct str domain,
		    struct str after, char address[DIR_TEXT_MAX + 1],
		    struct str *value);

#endif

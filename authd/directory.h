/*
 * directory - tenants, domains, accounts, aliases, credentials, quotas, in
 * Berkeley DB.  authd is the only process that opens it.
 *
 * Every change is one synced transaction: when a call returns DIR_OK the
 * change is durable.  What Berkeley DB reports beyond "not found" and "there
 * already" is fatal: the process ends and the next one recovers.
 *
 * Addresses come as text and are used in one canonical form (common/mail/
 * addr.h, addr_key); domains are lower-case A-labels.  A catch-all is an
 * alias whose address is written @DOMAIN.
 *
 * Strs inside results are borrowed until the next call on the directory.
 */
#ifndef AUTHD_DIRECTORY_H
#define AUTHD_DIRECTORY_H

#include "common/core/buf.h"

enum {
	DIR_TEXT_MAX = 320,		/* bytes of an address */
	DIR_TARGETS_MAX = 1000,		/* of one alias */
	DIR_CREDS_MAX = 4096,		/* bytes of a credential list */
	DIR_TENANT_DEFAULT = 1
};

/* In a quota: as the settings say.  0 is no limit. */
#define DIR_QUOTA_DEFAULT	UINT64_MAX

struct dir_quota {
	uint64_t	size;		/* octets */
	uint64_t	messages;
};

enum dir_result {
	DIR_OK,
	DIR_BAD,		/* not an address, or not a domain */
	DIR_NOT_ASCII,		/* a U-label, or an address with such bytes */
	DIR_NOT_FOUND,
	DIR_NO_DOMAIN,		/* its domain is not ours */
	DIR_EXISTS,		/* as an account or as an alias */
	DIR_IN_USE,		/* a domain that has accounts or aliases */
	DIR_FULL		/* out of mailbox ids, or of targets */
};

struct dir_domain {
	char		name[DIR_TEXT_MAX + 1];
	uint32_t	tenant;
	int64_t		created;	/* wall ms */
};

struct dir_account {
	char		address[DIR_TEXT_MAX + 1];
	uint64_t	mailbox;	/* never used again for another */
	uint32_t	tenant, shard;
	int64_t		created;
	struct dir_quota quota;
};

struct dir_tenant {
	char		name[DIR_TEXT_MAX + 1];
	uint32_t	tenant;
	struct dir_quota quota;		/* never the default */
};

/* What a mailbox holds, as its owner said. */
struct dir_usage {
	uint64_t	mailbox;
	uint32_t	tenant;
	struct dir_quota used;
};

struct dir_alias {
	char		address[DIR_TEXT_MAX + 1];
	uint32_t	tenant;
	int64_t		created;
	uint32_t	n;
	struct str	targets;	/* encoded: dir_alias_next */
};

struct dir;

/*
 * Opens what is in the directory fd, making it if it is empty.  The working
 * directory becomes that one, for good.  Fatal when it cannot be opened, and
 * when a file DB_CONFIG is there, which would change how.
 */
struct dir	*dir_open(int fd, uint64_t mailboxes_max);
void		 dir_close(struct dir *);

/* Another one after each change of a domain, an account or an alias. */
uint64_t	 dir_version(const struct dir *);

/* The canonical form of an address or a catch-all; DIR_OK, BAD, NOT_ASCII. */
enum dir_result	 dir_canon(struct str, char out[DIR_TEXT_MAX + 1]);
enum dir_result	 dir_canon_domain(struct str, char out[DIR_TEXT_MAX + 1]);

enum dir_result	 dir_domain_add(struct dir *, struct str, int64_t wall);
enum dir_result	 dir_domain_remove(struct dir *, struct str);
enum dir_result	 dir_domain_get(struct dir *, struct str,
		    struct dir_domain *);

/* The account may be NULL where only the result matters. */
enum dir_result	 dir_user_add(struct dir *, struct str address,
		    struct str creds, int64_t wall, struct dir_account *);
enum dir_result	 dir_user_remove(struct dir *, struct str address);
enum dir_result	 dir_user_get(struct dir *, struct str address,
		    struct dir_account *);
enum dir_result	 dir_user_by_id(struct dir *, uint64_t mailbox,
		    struct dir_account *);
enum dir_result	 dir_user_set_creds(struct dir *, struct str address,
		    struct str creds);
enum dir_result	 dir_user_set_quota(struct dir *, struct str address,
		    struct dir_quota);
/* The empty str when there are none. */
struct str	 dir_user_creds(struct dir *, uint64_t mailbox);

enum dir_result	 dir_tenant_get(struct dir *, struct str name,
		    struct dir_tenant *);
enum dir_result	 dir_tenant_set_quota(struct dir *, struct str name,
		    struct dir_quota);
/* As the lists below. */
enum dir_result	 dir_tenant_next(struct dir *, struct str after,
		    struct dir_tenant *);

/* False when nothing was ever put. */
bool		 dir_usage_get(struct dir *, uint64_t mailbox,
		    struct dir_usage *);
/* The sum of what was put for mailboxes of that tenant that are there. */
struct dir_quota dir_usage_sum(struct dir *, uint32_t tenant);
/* Between dir_usage_begin and dir_usage_end, one transaction. */
void		 dir_usage_begin(struct dir *);
void		 dir_usage_put(struct dir *, const struct dir_usage *);
void		 dir_usage_end(struct dir *);

/* Makes the alias if need be; a target that it has already is no error. */
enum dir_result	 dir_alias_add(struct dir *, struct str address,
		    const struct str *targets, size_t n, int64_t wall);
/* The targets, or with n == 0 the alias; the last target takes it along. */
enum dir_result	 dir_alias_remove(struct dir *, struct str address,
		    const struct str *targets, size_t n);
enum dir_result	 dir_alias_get(struct dir *, struct str address,
		    struct dir_alias *);
bool		 dir_alias_next(struct dir_alias *, struct str *target);

/*
 * Lists, in the order of domain and local part: the first one behind
 * `after`, an address or a domain as a list gave it; from the start when
 * empty.  `domain` bounds it unless it is empty.  DIR_NOT_FOUND at the end.
 */
enum dir_result	 dir_domain_next(struct dir *, struct str after,
		    struct dir_domain *);
enum dir_result	 dir_user_next(struct dir *, struct str domain,
		    struct str after, struct dir_account *);
enum dir_result	 dir_alias_list_next(struct dir *, struct str domain,
		    struct str after, struct dir_alias *);

/*
 * What mail for that address is for: the account, else the alias, else the
 * same without +tag, else the catch-all of its domain.
 */
enum dir_kind {
	DIR_MAILBOX,
	DIR_ALIAS,
	DIR_UNKNOWN,		/* our domain, nobody there */
	DIR_FOREIGN
};

struct dir_found {
	enum dir_kind		kind;
	struct dir_account	account;	/* DIR_MAILBOX */
	struct dir_alias	alias;		/* DIR_ALIAS */
};

enum dir_kind	 dir_find(struct dir *, struct str address,
		    struct dir_found *);
/*
 * RFC 5321 4.5.1: postmaster of a domain of ours that has no such user or
 * alias, and of the host itself, is this address; "" for nobody.
 */
void		 dir_set_postmaster(struct dir *, const char *address,
		    const char *hostname);

/*
 * Whether the account may send as that address: it is its own, with or
 * without +tag, or an alias whose only target in our domains it is.
 */
enum dir_kind	 dir_may_send(struct dir *, uint64_t mailbox,
		    struct str address);

#endif

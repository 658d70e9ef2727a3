/*
 * ticket - proof from authd that somebody logged in, sealed for one audience
 * (XChaCha20-Poly1305 by libsodium, one key per audience; no other audience
 * and no front can make or read one).
 *
 * A LOGIN ticket is for mailboxd, good for 30 s and once; a SUBMIT ticket is
 * for queued, bound to one front's connection (sid), reusable until it
 * expires.  Times are wall clock.
 */
#ifndef IPC_TICKET_H
#define IPC_TICKET_H

#include "common/core/buf.h"
#include "common/ipc/msg.h"

enum {
	TICKET_MAX = 512,		/* bytes, sealed */
	TICKET_KEY = 32,
	TICKET_LOGIN_MS = 30 * 1000,
	TICKET_REPLAYS_MAX = 65536	/* remembered LOGIN tickets */
};

enum ticket_kind {
	TICKET_LOGIN = 1,
	TICKET_SUBMIT = 2
};

struct ticket {
	enum ticket_kind kind;
	enum service	 service;
	uint64_t	 serial;	/* unpredictable; once for LOGIN */
	uint64_t	 sid;		/* the front's connection */
	uint64_t	 mailbox;
	uint32_t	 tenant, shard;
	int64_t		 expires;	/* wall ms */
	char		 user[321];	/* canonical address */
	uint8_t		 unlock[32];	/* key of an encrypted mailbox; zero */
};

/* Keys that an audience holds: the newest two. */
struct ticket_keys {
	uint32_t	kid[2];
	uint8_t		key[2][TICKET_KEY];
	unsigned	n;
};

void	ticket_keys_add(struct ticket_keys *, uint32_t kid, struct str key);
void	ticket_keys_wipe(struct ticket_keys *);

/* Seals with the newest key onto *out. */
void	ticket_seal(const struct ticket_keys *, const struct ticket *,
	    struct buf *out);

enum ticket_result {
	TICKET_GOOD,
	TICKET_FORGED,		/* not sealed with the key that it names */
	TICKET_UNKNOWN,		/* it names a key that we do not hold */
	TICKET_EXPIRED,
	TICKET_REPLAYED
};
enum ticket_result ticket_open(const struct ticket_keys *, struct str sealed,
	    int64_t wall, struct ticket *);

/* Serials seen, kept until they would have expired anyway. */
struct ticket_replays;
struct ticket_replays *ticket_replays_new(void);
void	ticket_replays_free(struct ticket_replays *);
/* TICKET_GOOD the first time; REPLAYED again, or when the table is full. */
enum ticket_result ticket_once(struct ticket_replays *, const struct ticket *,
	    int64_t wall);

#endif

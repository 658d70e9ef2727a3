/*
 * bodyfile - large payloads in files of their own, for queue and mailboxes.
 *
 * A file is named after a prefix and the id of its record, written once,
 * while it arrives, and never again.  It counts only once a record names it;
 * before that it must be durable, its directory included: bulk.h has a helper
 * process do that.  What no record names is swept away at start.
 *
 * Answers are 0 or -1 with errno unless said otherwise.
 */
#ifndef DISK_BODYFILE_H
#define DISK_BODYFILE_H

#include "common/core/buf.h"
#include "common/core/id.h"
#include "common/disk/frame.h"

/* A directory with such files; borrowed, and so is the prefix. */
struct bodyfiles {
	int		 dir;
	const char	*prefix;	/* "" or up to 15 characters */
};

struct bodyfile_name {
	char s[16 + ID_LEN];
};
struct bodyfile_name bodyfile_name(const struct bodyfiles *, uint64_t id);

/* -- being written ------------------------------------------------------ */

struct bodyfile;

/* NULL with errno; EEXIST when there is one. */
struct bodyfile	*bodyfile_create(const struct bodyfiles *, uint64_t id);
int		 bodyfile_write(struct bodyfile *, struct str);
/*
 * In the kernel: the first `size` bytes of a file.  Its hash is believed;
 * EMSGSIZE when there are fewer bytes.  Not together with writes.
 */
int		 bodyfile_copy(struct bodyfile *, int fd, uint64_t size,
		    const unsigned char hash[HASH_LEN]);
/* All is here: the hash of it. */
void		 bodyfile_end(struct bodyfile *,
		    unsigned char hash[HASH_LEN]);
/* Closes it; the file stays.  NULL is fine. */
void		 bodyfile_free(struct bodyfile *);

/* -- written ------------------------------------------------------------ */

/* The file, then its directory.  Waits for the disk. */
int	bodyfile_sync(const struct bodyfiles *, uint64_t id);
int	bodyfile_remove(const struct bodyfiles *, uint64_t id);
/* A descriptor for reading; EBADMSG when the size differs. */
int	bodyfile_open(const struct bodyfiles *, uint64_t id, uint64_t size);
/* n bytes from byte `from`, appended; EBADMSG when there are fewer. */
int	bodyfile_read(const struct bodyfiles *, uint64_t id, uint64_t from,
	    size_t n, struct buf *out);
/*
 * EBADMSG when size or BLAKE2b-256 differ.  Reads all of it: not for a loop
 * that others wait for, unless the caller can afford that.
 */
int	bodyfile_check(int dirfd, const char *name, uint64_t size,
	    const unsigned char hash[HASH_LEN]);

/* Removes each that is not kept.  How many, or -1 with errno. */
typedef bool bodyfile_keep_fn(void *arg, uint64_t id);
int	bodyfile_sweep(const struct bodyfiles *, bodyfile_keep_fn *,
	    void *arg);

#endif

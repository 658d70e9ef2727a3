/*
 * model_int - what the parts of the model store share: names and folders
 * (model_names.c), messages (model_mail.c), and what tests ask for
 * (model_store.c).
 */
#ifndef TESTS_MODEL_INT_H
#define TESTS_MODEL_INT_H

#include "tests/lib/model_store.h"

struct model_folder {
	struct store_folder	 pub;		/* first: cast back and forth */
	struct store_msg	*msgs;
	struct str		*texts;		/* parallel to msgs */
	unsigned		 refs;		/* opens, one for its entry */
};

struct model_entry {
	struct str		 name;
	struct model_folder	*folder;	/* NULL: level, subscription */
	bool			 subscribed;
};

bool			 model_name_ok(struct str);
/* NULL when there is none. */
struct model_folder	*model_find(const struct model_store *,
			    struct str name);

/* The entry gets an empty folder, which belongs to it. */
void	model_folder_new(struct model_store *, struct model_entry *);
/* It loses it; who has it open sees it empty and gone. */
void	model_folder_gone(struct model_store *, struct model_entry *);
void	model_folder_unref(struct model_store *, struct model_folder *);
/* Takes the text over.  The UID. */
uint32_t model_add(struct model_store *, struct model_folder *,
	    struct store_msg, struct str text);

/* What struct store_ops wants; impl is the model store.  Names. */
enum store_result model_next(void *impl, struct str after,
	    struct store_name *);
enum store_result model_create(void *impl, struct str name);
enum store_result model_remove(void *impl, struct str name);
enum store_result model_rename(void *impl, struct str from, struct str to);
enum store_result model_subscribe(void *impl, struct str name, bool on);

/* Messages. */
enum store_result model_status(void *impl, struct str name, bool recent,
	    struct store_status *);
enum store_result model_open(void *impl, struct str name,
	    struct store_folder **);
void	model_close(void *impl, struct store_folder *);
void	model_seen_recent(void *impl, struct store_folder *);
int	model_keyword(void *impl, struct store_folder *, struct str word,
	    bool create);
enum store_result model_flags(void *impl, struct store_folder *,
	    const uint32_t *uids, size_t n, enum store_how, uint8_t flags,
	    uint64_t keywords);
enum store_result model_expunge(void *impl, struct store_folder *,
	    const uint32_t *uids, size_t n);
enum store_result model_copy(void *impl, struct store_folder *,
	    const uint32_t *uids, size_t n, struct str to,
	    uint32_t *uidvalidity, uint32_t *new_uids);

/* Appended and read. */
enum store_result model_append(void *impl, const struct store_new *,
	    struct store_append **);
enum store_result model_append_data(void *impl, struct store_append *,
	    struct str);
void		 model_append_whole(void *impl, struct store_append *);
bool		 model_append_ready(void *impl, const struct store_append *);
enum store_result model_append_end(void *impl, struct store_append *,
	    uint32_t *uidvalidity, uint32_t *uid);
void	model_append_abort(void *impl, struct store_append *);
enum store_result model_body_open(void *impl, struct store_folder *,
	    uint32_t uid, struct store_body **);
enum store_result model_body_read(void *impl, struct store_body *,
	    uint32_t from, size_t n, struct buf *);
void	model_body_close(void *impl, struct store_body *);

#endif

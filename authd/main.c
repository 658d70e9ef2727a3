/*
 * authd - owns the directory: accounts, aliases, credentials.  Answers
 * lookups, checks passwords, issues tickets.
 *
 * The hash workers are forked first, when there is nothing yet for them to
 * inherit.
 */
#include <signal.h>
#include <sodium.h>

#include "authd/authd.h"
#include "authd/spare.h"
#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/sandbox.h"
#include "common/core/start.h"
#include "common/mail/text.h"

enum { SPARE_MS = 60 * 1000 };

static const struct {
	const char	*name;		/* of the listening socket */
	enum role	 peer;
} clients[] = {
	{ "smtpd", R_SMTPD },
	{ "imapd", R_IMAPD },
	{ "pop3d", R_POP3D },
	{ "route", R_ROUTE },
	{ "mailboxd", R_MAILBOXD },
	{ "queued", R_QUEUED },
	{ "ctl", R_MAILCTL },
};

/* Forks workers, which lock themselves down further, and nothing else. */
static void
lock_nursery(void)
{
	sandbox_enter(&(struct sandbox){ .allow = SB_FORK | SB_LOCK,
	    .dir = -1, .chroot = true });
}

/* Memory, and the socket that it has. */
static void
lock_worker(void)
{
	sandbox_enter(&(struct sandbox){ .allow = 0, .dir = -1 });
}

static struct hash *
fork_workers(void)
{
	const struct hash_conf c = {
		.workers = {
			.n = (unsigned)conf_num(C_AUTH_WORKERS),
			.cost = { conf_num(C_AUTH_MEMORY),
			    conf_num(C_AUTH_PASSES) },
			.lock_nursery = lock_nursery,
			.lock_worker = lock_worker,
		},
		.queue_max = (unsigned)conf_num(C_AUTH_QUEUE_MAX),
	};

	return hash_fork(&c, start_view());
}

/* The spare room was used, or there was none yet: until there is some. */
static void
on_spare(void *arg)
{
	struct loop_timer **timer = arg;

	if (!spare_fill())
		loop_timer_set(*timer, SPARE_MS);
}

static void
on_term(void *arg)
{
	(void)arg;
	loop_stop();
}

int
main(void)
{
	struct authd	*a;
	struct hash	*h;
	struct dir	*d;
	static struct loop_timer *spare;
	const char	*locked;
	size_t		 i;
	int		 fd;

	log_init("authd");
	start_init();
	conf_load(start_fd("config"));
	if (sodium_init() == -1)
		fatalx("libsodium");
	if (text_init() == -1)
		fatalx("Unicode tables do not work");
	h = fork_workers();
	loop_init();
	start_watch();
	loop_signal(SIGTERM, on_term, NULL);

	fd = start_fd("directory");
	locked = sandbox_enter(&(struct sandbox){
		.allow = SB_ACCEPT | SB_FILES,
		.dir = fd,
		.chroot = true,
	});

	hash_start(h);
	d = dir_open(fd, conf_num(C_MAILBOX_UID_COUNT));
	dir_set_postmaster(d, conf_text(C_POSTMASTER), conf_text(C_HOSTNAME));
	a = authd_new(d, h);
	chan_init();
	spare = loop_timer(on_spare, &spare);
	on_spare(&spare);
	for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
		authd_listen(a, start_fd(clients[i].name), clients[i].peer);
	start_ready(locked);
	if (loop_run() == -1)
		return 1;
	authd_free(a);
	dir_close(d);
	return 0;
}

/*
 * smtpd - SMTP connections.  Holds no file, makes no outbound connection,
 * believes nothing; asks authd and queued.
 */
#include <malloc.h>
#include <signal.h>

#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/sandbox.h"
#include "common/core/start.h"
#include "common/ipc/chan.h"
#include "common/net/listen.h"
#include "common/net/stream.h"
#include "smtpd/asking.h"
#include "smtpd/pool.h"
#include "smtpd/session.h"

/* Bytes that the heap keeps: bodies in transit come and go all the time. */
enum { HEAP_SPARE = 2 * 1024 * 1024 };

static struct listener *mx, *submission;

static void
on_mx(void *arg, int fd, struct str address)
{
	(void)arg;
	session_new(SMTP_MX, fd, address);
}

static void
on_submission(void *arg, int fd, struct str address)
{
	(void)arg;
	session_new(SMTP_SUBMISSION, fd, address);
}

static void
on_stop(void *arg)
{
	(void)arg;
	listen_pause(mx, true);
	listen_pause(submission, true);
	sessions_drain();
}

int
main(void)
{
	const char	*status;
	int		 mx_fd, submission_fd;

	log_init("smtpd");
	start_init();
	mallopt(M_TRIM_THRESHOLD, HEAP_SPARE);
	conf_load(start_fd("config"));
	mx_fd = start_fd("mx");
	submission_fd = start_fd("submission");
	loop_init();
	loop_signal(SIGTERM, on_stop, NULL);
	status = sandbox_enter(&(struct sandbox){
		.allow = SB_ACCEPT | SB_UNIX,
		.dir = -1,
		.chroot = true,
	});
	start_watch();
	sessions_init();
	asking_init();
	pool_init((unsigned)conf_num(C_SMTP_QUEUE_CHANNELS));
	chan_init();
	stream_init();
	mx = listen_new(mx_fd, on_mx, NULL);
	submission = listen_new(submission_fd, on_submission, NULL);
	start_ready(status);
	return loop_run() == -1 ? 1 : 0;
}

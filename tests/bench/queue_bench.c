/*
 * queue_bench - what taking a message costs queued: 64 sessions, each with
 * one message of 10 KB under way at a time, over 1, 4 and 16 channels.
 *
 *	queue_bench [directory [messages]]
 *
 * Columns: messages per second, syncs per message, CPU of queued per message,
 * and the floor: the same bytes in the same batches by pwrite and fdatasync
 * alone, by turns with it.  Fronts and queued are two processes.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "queued/queued.h"
#include "tests/lib/bench.h"
#include "tests/lib/tmpdir.h"

enum { SESSIONS = 64, SIZE = 10240, CHANNELS_MAX = 16 };

struct result {
	uint64_t	commits, messages;
	double		cpu;		/* us of queued per message */
	double		rate, floor;
};

static unsigned total = 6000;
static char body[SIZE];

/* -- the queue ----------------------------------------------------------- */

static void
on_stop(void *arg, int events)
{
	(void)arg;
	(void)events;
	loop_stop();
}

/* Until the other end of `stop` closes; then tells what it cost. */
_Noreturn static void
serve(int dir, const int *fds, unsigned n, int stop, int report)
{
	static struct queued	q;
	struct queued_conf	conf;
	struct rusage		ru;
	struct result		r;
	struct chan		*c;
	unsigned		i;

	conf_defaults();
	queued_conf(&conf);
	queued_open(&q, &conf, dir, false);
	loop_init();
	queued_start(&q);
	chan_init();
	for (i = 0; i < n; i++) {
		c = chan_new(fds[i], R_QUEUED, R_SMTPD, intake_ops(), NULL);
		intake_accept(c, &q);
	}
	loop_watch(stop, LOOP_READ, on_stop, NULL);
	loop_run();
	getrusage(RUSAGE_SELF, &ru);
	r.commits = q.journal.commits;
	r.messages = q.queue.messages.n;
	r.cpu = ((double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1e6 +
	    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec)) /
	    (double)r.messages;
	if (write(report, &r, sizeof(r)) != sizeof(r))
		_exit(1);
	_exit(0);
}

/* -- the fronts ---------------------------------------------------------- */

struct front {
	struct chan	*chan;
	uint64_t	 qid;
	uint32_t	 left;
	unsigned	 sessions;	/* not started yet */
	bool		 asked;
};

static unsigned started, answered;

static void
submit(struct front *f)
{
	struct buf	b;
	uint32_t	n = 0;
	uint64_t	qid = f->qid++;

	f->left--;
	started++;
	buf_init(&b, 1024);
	rec_add_address(&b, &n, &(struct rec_address){ S("user@x.test") });
	chan_send_submit(f->chan, &(struct msg_submit){ .qid = qid,
	    .sender = S("sender@y.test"), .rcpts = 1 }, -1);
	chan_send_submit_rcpts(f->chan, &(struct msg_submit_rcpts){
	    .qid = qid, .rcpts = msg_list_of(&b, n) }, -1);
	chan_send_submit_data(f->chan, &(struct msg_submit_data){
	    .qid = qid, .chunk = { body, SIZE } }, -1);
	chan_send_submit_end(f->chan, &(struct msg_submit_end){
	    .qid = qid, .size = SIZE }, -1);
	buf_clear(&b);
}

static void
go_on(struct front *f)
{
	while (f->sessions > 0 && f->left > 0 && started < total) {
		f->sessions--;
		submit(f);
	}
	if (f->left == 0 && !f->asked) {
		f->asked = true;
		chan_send_qid_want(f->chan, &(struct msg_qid_want){ 1024 },
		    -1);
	}
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	struct front *f = chan_arg(c);

	(void)fd;
	if (m->type == MSG_QID_BLOCK) {
		f->qid = m->qid_block.first;
		f->left = m->qid_block.count;
		f->asked = false;
	}
	if (m->type == MSG_SUBMITTED) {
		if (m->submitted.verdict != SUBMIT_OK)
			errx(1, "refused");
		f->sessions++;
		if (++answered == total)
			loop_stop();
	}
	go_on(f);
	return 0;
}

static const struct chan_ops ops = { .on_msg = on_msg };

static double
drive(const int *fds, unsigned n)
{
	static struct front	f[CHANNELS_MAX];
	double			t;
	unsigned		i;

	started = 0;
	answered = 0;
	memset(f, 0, sizeof(f));
	loop_init();
	chan_init();
	for (i = 0; i < n; i++) {
		f[i].sessions = SESSIONS / n;
		f[i].chan = chan_new(fds[i], R_SMTPD, R_QUEUED, &ops, &f[i]);
	}
	t = bench_seconds();
	loop_run();
	t = bench_seconds() - t;
	for (i = 0; i < n; i++)
		chan_close(f[i].chan);
	loop_turn(0);
	loop_free();
	return (double)total / t;
}

/* -- a round ------------------------------------------------------------- */

/* The same bytes, as many to a sync as queued had. */
static double
run_floor(int dir, double batch)
{
	size_t	 n = (size_t)(batch < 1 ? 1 : batch + 0.5), i, syncs;
	char	*p = xcalloc(n, SIZE + 512);
	int	 fd = openat(dir, "floor", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	double	 t = bench_seconds();

	if (fd == -1)
		err(1, "floor");
	syncs = total / n;
	for (i = 0; i < syncs; i++) {
		if (pwrite(fd, p, n * (SIZE + 512),
		    (off_t)(i * n * (SIZE + 512))) == -1 ||
		    fdatasync(fd) == -1)
			err(1, "floor");
	}
	t = bench_seconds() - t;
	close(fd);
	unlinkat(dir, "floor", 0);
	free(p);
	return (double)(syncs * n) / t;
}

static struct result
run(const char *where, unsigned n)
{
	struct tmpdir	top;
	int		a[CHANNELS_MAX], b[CHANNELS_MAX];
	int		sv[2], stop[2], rep[2];
	struct result	r;
	double		rate;
	unsigned	i;
	pid_t		pid;

	tmpdir_make_in(&top, where);
	if (pipe(stop) == -1 || pipe(rep) == -1)
		err(1, "pipe");
	for (i = 0; i < n; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
		    sv) == -1)
			err(1, "socketpair");
		a[i] = sv[0];
		b[i] = sv[1];
	}
	pid = fork();
	if (pid == 0) {
		for (i = 0; i < n; i++)
			close(b[i]);
		close(stop[1]);
		serve(top.fd, a, n, stop[0], rep[1]);
	}
	for (i = 0; i < n; i++)
		close(a[i]);
	close(stop[0]);
	rate = drive(b, n);
	close(stop[1]);
	if (read(rep[0], &r, sizeof(r)) != sizeof(r))
		errx(1, "queued died");
	waitpid(pid, NULL, 0);
	r.rate = rate;
	r.floor = run_floor(top.fd, (double)r.messages / (double)r.commits);
	close(rep[0]);
	close(rep[1]);
	tmpdir_remove(&top);
	return r;
}

int
main(int argc, char **argv)
{
	static const unsigned	channels[] = { 1, 4, 16 };
	double			rate[3][BENCH_ROUNDS], syncs[3][BENCH_ROUNDS];
	double			cpu[3][BENCH_ROUNDS], ratio[3][BENCH_ROUNDS];
	struct result		r;
	int			i, k;

	if (argc > 2)
		total = (unsigned)strtoul(argv[2], NULL, 10);
	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	for (k = 0; k < BENCH_ROUNDS; k++) {
		for (i = 0; i < 3; i++) {
			r = run(argc > 1 ? argv[1] : "build", channels[i]);
			rate[i][k] = r.rate;
			syncs[i][k] = (double)r.commits / (double)r.messages;
			cpu[i][k] = r.cpu;
			ratio[i][k] = r.rate / r.floor;
		}
	}
	printf("channels  msgs/s  syncs/msg  cpu us/msg  of the floor\n");
	for (i = 0; i < 3; i++)
		printf("%8u  %6.0f  %9.3f  %10.1f  %12.2f\n", channels[i],
		    bench_median(rate[i]), bench_median(syncs[i]),
		    bench_median(cpu[i]), bench_median(ratio[i]));
	return 0;
}

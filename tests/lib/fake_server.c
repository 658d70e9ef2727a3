/*
 * fake_server - see fake_server.h.
 */
#include "tests/lib/fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/xalloc.h"

static char path[] = "/tmp/postern-fake-XXXXXX";

void
fake_begin(void)
{
	if (mkdtemp(path) == NULL || chdir(path) == -1)
		fatal("%s", path);
	if (getenv("RIG_LOG") == NULL)
		log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	loop_init();
	chan_init();
}

void
fake_end(void)
{
	static const char *const names[] = { "queued", "authd", "mailboxd" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(names[i]);
	if (chdir("/") == -1 || rmdir(path) == -1)
		fatal("%s", path);
}

/* A copy that outlives the call: encoded again, decoded from our own. */
static void
keep(struct fake *f, struct chan *c, const struct msg *m, int fd)
{
	struct fake_msg	*k = &f->msgs[f->nmsgs++ % FAKE_MSGS];
	struct str	 s;
	struct buf	 b;

	buf_init(&b, MSG_PACKET_MAX);
	msg_encode(&b, m);
	free(k->packet);
	k->packet = xcalloc(1, b.n);
	memcpy(k->packet, b.p + b.at, b.n);
	s = str_of(k->packet, b.n);
	if (msg_decode(&s, f->peer, f->self, &k->m) == -1)
		fatalx("message does not decode twice");
	k->chan = c;
	k->fd = fd;
	buf_clear(&b);
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	keep(chan_arg(c), c, m, fd);
	return 0;
}

static void
on_down(struct chan *c)
{
	struct fake	*f = chan_arg(c);
	unsigned	 i;

	f->ndown++;
	for (i = 0; i < f->nchans; i++) {
		if (f->chans[i] == c)
			f->chans[i] = NULL;
	}
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

static int
on_accept(struct chan *c, void *arg)
{
	struct fake *f = arg;

	chan_set_arg(c, f);
	assert_true(f->nchans < FAKE_CHANS);
	f->chans[f->nchans++] = c;
	return 0;
}

void
fake_listen(struct fake *f, const char *name, enum role self, enum role peer)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	*f = (struct fake){ .self = self, .peer = peer };
	f->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	memcpy(sun.sun_path, name, strlen(name));
	if (bind(f->fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(f->fd, 64) == -1)
		fatal("listen %s", name);
	f->listener = chan_listen(f->fd, self, peer, &ops, on_accept, f);
}

struct fake_msg *
fake_next(struct fake *f, enum msg_type type)
{
	struct fake_msg	*k;
	int		 i;

	for (i = 0; i < 400 && f->at == f->nmsgs; i++)
		loop_turn(10);
	if (f->at == f->nmsgs)
		fail_msg("%s did not come", msg_name(type));
	k = &f->msgs[f->at++ % FAKE_MSGS];
	if (k->m.type != type)
		fail_msg("%s instead of %s", msg_name(k->m.type),
		    msg_name(type));
	return k;
}

void
fake_quiet(struct fake *f, int turns)
{
	while (turns-- > 0)
		loop_turn(0);
	if (f->at != f->nmsgs)
		fail_msg("unexpected %s",
		    msg_name(f->msgs[f->at % FAKE_MSGS].m.type));
}

struct chan *
fake_chan(struct fake *f, unsigned i)
{
	assert_true(i < f->nchans && f->chans[i] != NULL);
	return f->chans[i];
}

void
fake_cut(struct fake *f, unsigned i)
{
	chan_close(fake_chan(f, i));
	f->chans[i] = NULL;
	loop_turn(0);
}

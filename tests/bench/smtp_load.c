/*
 * smtp_load - sends messages over many connections and measures: rate,
 * time from the final dot to the 250, own CPU.  A benchmark's tool.
 *
 *	smtp_load PORT CONNECTIONS MESSAGES SIZE RCPT...
 *
 * Each connection sends its share, one message after the other: MAIL, RCPT
 * and DATA in one segment (RFC 2920), then the content.  The recipients take
 * turns.  Prints one line of key=value.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	CONNECTIONS_MAX = 4096,
	LINE_MAX_ = 1024,
	CONTENT_MAX = 1024 * 1024 * 1024
};

enum step { GREETING, EHLO, MAIL, RCPT, DATA, DOT, DONE };

struct conn {
	int		fd;
	enum step	step;
	unsigned	left;
	char		line[LINE_MAX_];
	size_t		n;
	size_t		sent;		/* of the content */
	int64_t		since;
};

static struct conn conns[CONNECTIONS_MAX];
static char *content;
static size_t content_n;
static int64_t *waits;
static unsigned nwaits, next_rcpt, nrcpts, live;
static char **rcpts;
static int ep;

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
say(struct conn *c, const char *text, size_t n)
{
	if (send(c->fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
		die("send");
}

static void
watch(struct conn *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev) == -1)
		die("epoll");
}

static void
begin_message(struct conn *c)
{
	char	text[LINE_MAX_];
	int	n;

	if (c->left == 0) {
		c->step = DONE;
		live--;
		close(c->fd);
		return;
	}
	c->left--;
	n = snprintf(text, sizeof(text), "MAIL FROM:<load@example.net>\r\n"
	    "RCPT TO:<%s>\r\nDATA\r\n", rcpts[next_rcpt++ % nrcpts]);
	c->step = MAIL;
	say(c, text, (size_t)n);
}

static void
push_content(struct conn *c)
{
	ssize_t n;

	while (c->sent < content_n) {
		n = send(c->fd, content + c->sent, content_n - c->sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EAGAIN) {
			watch(c, EPOLLIN | EPOLLOUT);
			return;
		}
		if (n == -1)
			die("send");
		c->sent += (size_t)n;
	}
	watch(c, EPOLLIN);
	c->since = now_us();
}

static void
on_line(struct conn *c)
{
	int code = (int)strtol(c->line, NULL, 10);

	if (c->line[3] == '-')
		return;
	switch (c->step) {
	case GREETING:
		c->step = EHLO;
		say(c, "EHLO load.example.net\r\n", 23);
		return;
	case EHLO:
		begin_message(c);
		return;
	case MAIL:
	case RCPT:
		if (code != 250)
			break;
		c->step++;
		return;
	case DATA:
		if (code != 354)
			break;
		c->step = DOT;
		c->sent = 0;
		push_content(c);
		return;
	case DOT:
		if (code != 250)
			break;
		waits[nwaits++] = now_us() - c->since;
		begin_message(c);
		return;
	case DONE:
		return;
	}
	fprintf(stderr, "smtp_load: unexpected: %s\n", c->line);
	exit(1);
}

static void
on_input(struct conn *c)
{
	char	text[4096];
	ssize_t	n = recv(c->fd, text, sizeof(text), MSG_DONTWAIT), i;

	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("connection lost");
	for (i = 0; i < n && c->step != DONE; i++) {
		if (text[i] == '\n') {
			c->line[c->n] = '\0';
			c->n = 0;
			on_line(c);
		} else if (c->n + 1 < sizeof(c->line))
			c->line[c->n++] = text[i];
	}
}

static void
open_conn(struct conn *c, uint16_t port)
{
	struct sockaddr_in	in = { .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event	ev = { .events = EPOLLIN, .data.ptr = c };
	int			one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd == -1 ||
	    connect(c->fd, (struct sockaddr *)&in, sizeof(in)) == -1)
		die("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		die("epoll");
	live++;
}

static void
make_content(size_t size)
{
	static const char head[] = "From: load@example.net\r\n"
	    "Subject: a message of the benchmark\r\n"
	    "Message-ID: <load@example.net>\r\n\r\n";
	size_t n = sizeof(head) - 1;

	content = malloc(size + 200);
	memcpy(content, head, n);
	while (n < size) {
		memset(content + n, 'a' + (int)(n % 26), 76);
		memcpy(content + n + 76, "\r\n", 2);
		n += 78;
	}
	memcpy(content + n, ".\r\n", 3);
	content_n = n + 3;
}

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void
report(int64_t took)
{
	struct rusage	r;
	double		cpu;

	getrusage(RUSAGE_SELF, &r);
	cpu = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 +
	    (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
	qsort(waits, nwaits, sizeof(*waits), by_value);
	printf("messages=%u rate=%.0f p50_us=%lld p99_us=%lld "
	    "client_cpu_us=%.1f\n", nwaits, nwaits * 1e6 / (double)took,
	    (long long)waits[nwaits / 2],
	    (long long)waits[nwaits * 99 / 100], cpu / nwaits);
}

static unsigned
number(const char *text, unsigned low, unsigned high)
{
	char		*end;
	unsigned long	 n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n < low ||
	    n > high) {
		fprintf(stderr, "%s is not from %u to %u\n", text, low, high);
		exit(2);
	}
	return (unsigned)n;
}

int
main(int argc, char **argv)
{
	struct epoll_event	ev[256];
	unsigned		n, total, i;
	uint16_t		port;
	int64_t			start;
	int			got, k;

	if (argc < 6) {
		fprintf(stderr, "usage: smtp_load PORT CONNECTIONS MESSAGES "
		    "SIZE RCPT...\n");
		return 2;
	}
	port = (uint16_t)number(argv[1], 1, UINT16_MAX);
	n = number(argv[2], 1, CONNECTIONS_MAX);
	total = number(argv[3], n, UINT32_MAX);
	make_content(number(argv[4], 0, CONTENT_MAX));
	rcpts = argv + 5;
	nrcpts = (unsigned)(argc - 5);
	waits = calloc(total, sizeof(*waits));
	ep = epoll_create1(0);
	start = now_us();
	for (i = 0; i < n; i++) {
		conns[i].left = total / n + (i < total % n);
		open_conn(&conns[i], port);
	}
	while (live > 0) {
		got = epoll_wait(ep, ev, 256, -1);
		for (k = 0; k < got; k++) {
			struct conn *c = ev[k].data.ptr;

			if ((ev[k].events & EPOLLOUT) != 0 && c->step == DOT)
				push_content(c);
			if ((ev[k].events & EPOLLIN) != 0)
				on_input(c);
		}
	}
	report(now_us() - start);
	return 0;
}

/*
 * init - see init.h.  Never touches an instance that is already there.
 */
#include "mailctl/init.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/conf_value.h"
#include "common/core/xalloc.h"
#include "mailctl/exits.h"
#include "mailctl/instance.h"
#include "mailctl/print.h"

enum { PORT_BASE = 10000, PORT_BASE_MAX = 64000 };

struct wish {
	uint64_t	 base;
	const char	*listen, *hostname, *dir;
	char		 host[256];
};

static int
usage(const char *why)
{
	fprintf(stderr, "mailctl init: %s\n"
	    "usage: mailctl init DIR [--port-base 10000] "
	    "[--listen 127.0.0.1] [--hostname NAME]\n", why);
	return EX_USAGE_;
}

static int
parse_args(struct wish *w, int argc, char **argv)
{
	static const struct option options[] = {
		{ "port-base", required_argument, NULL, 'p' },
		{ "listen", required_argument, NULL, 'l' },
		{ "hostname", required_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (c == 'p' && str_u64(str_c(optarg), PORT_BASE_MAX,
		    &w->base) == -1)
			return usage("--port-base takes 0 to 64000");
		if (c == 'l')
			w->listen = optarg;
		if (c == 'h')
			w->hostname = optarg;
		if (c == ':')
			return usage("this option wants a value");
		if (c == '?')
			return usage("there is no such option");
	}
	if (optind + 1 != argc)
		return usage("name one directory");
	w->dir = argv[optind];
	return EX_DONE;
}

/* Both values must be right before anything is written. */
static int
check_wish(const struct wish *w)
{
	struct buf	b;
	const char	*why;
	uint64_t	num;

	why = conf_value(conf_info(C_HOSTNAME), str_c(w->hostname), &num);
	if (why != NULL)
		return usage("--hostname takes a name such as "
		    "mail.example.org");
	buf_init(&b, 512);
	buf_addf(&b, strchr(w->listen, ':') != NULL ? "[%s]:25" : "%s:25",
	    w->listen);
	why = conf_value(conf_info(C_LISTEN_MX), buf_str(&b), &num);
	buf_clear(&b);
	return why == NULL ? EX_DONE : usage("--listen takes an IP address");
}

static void
add_listen(struct buf *b, const struct wish *w, enum setting s, unsigned port)
{
	bool v6 = strchr(w->listen, ':') != NULL;

	buf_addf(b, "%-18s = %s%s%s:%llu\n", conf_info(s)->name,
	    v6 ? "[" : "", w->listen, v6 ? "]" : "",
	    (unsigned long long)w->base + port);
}

static void
format_conf(struct buf *b, const struct wish *w)
{
	buf_addz(b, "# Postern.  postern.conf(5) describes every setting;\n"
	    "# \"mailctl -c FILE config check\" tells what is wrong here.\n\n");
	buf_addf(b, "%-18s = %s\n\n", "hostname", w->hostname);
	add_listen(b, w, C_LISTEN_MX, 25);
	add_listen(b, w, C_LISTEN_SUBMISSION, 587);
	add_listen(b, w, C_LISTEN_POP3, 110);
	add_listen(b, w, C_LISTEN_IMAP, 143);
	buf_addz(b, "\n# Who reads the mail for postmaster: an address that "
	    "you add as a user.\n# postmaster = you@example.org\n");
}

static int
write_conf(int dirfd, struct str text)
{
	int	fd = openat(dirfd, "postern.conf", O_WRONLY | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0644);
	int	rc, saved;

	if (fd == -1)
		return -1;
	rc = write(fd, text.p, text.n) == (ssize_t)text.n &&
	    fsync(fd) == 0 && fsync(dirfd) == 0 ? 0 : -1;
	saved = errno;
	close(fd);
	/* Half of one would stand in the way of the next init. */
	if (rc == -1)
		unlinkat(dirfd, "postern.conf", 0);
	errno = saved;
	return rc;
}

static void
tell(const struct wish *w, const char *path, bool json)
{
	static const struct {
		const char	*name;
		unsigned	 port;
	} ports[] = {
		{ "mx", 25 }, { "submission", 587 }, { "pop3", 110 },
		{ "imap", 143 },
	};
	struct buf	b;
	size_t		i;

	if (!json) {
		printf("%s: mail on port %llu, submission %llu, POP3 %llu, "
		    "IMAP %llu of %s\n", path,
		    (unsigned long long)w->base + 25,
		    (unsigned long long)w->base + 587,
		    (unsigned long long)w->base + 110,
		    (unsigned long long)w->base + 143, w->listen);
		return;
	}
	buf_init(&b, 64 * 1024);
	buf_addz(&b, "{\"config\": ");
	print_json_str(&b, str_c(path));
	buf_addz(&b, ", \"address\": ");
	print_json_str(&b, str_c(w->listen));
	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		buf_addf(&b, ", \"%s\": %llu", ports[i].name,
		    (unsigned long long)w->base + ports[i].port);
	buf_addz(&b, "}");
	puts(buf_cstr(&b));
	buf_clear(&b);
}

static int
make(const struct wish *w, bool json)
{
	struct instance	in;
	struct buf	b, path;
	int		fd, rc, saved;

	if (mkdir(w->dir, 0755) == -1 && errno != EEXIST) {
		fprintf(stderr, "%s: %s\n", w->dir, strerror(errno));
		return EX_FAILED;
	}
	fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		fprintf(stderr, "%s: %s\n", w->dir, strerror(errno));
		return EX_FAILED;
	}
	buf_init(&b, 64 * 1024);
	format_conf(&b, w);
	rc = write_conf(fd, buf_str(&b));
	saved = errno;
	buf_clear(&b);
	close(fd);
	if (rc == -1) {
		fprintf(stderr, "%s/postern.conf: %s\n", w->dir,
		    strerror(saved));
		return saved == EEXIST ? EX_REFUSED : EX_FAILED;
	}
	buf_init(&path, 8192);
	buf_addf(&path, "%s/postern.conf", w->dir);
	instance_load(&in, buf_cstr(&path));
	instance_dirs(&in);
	tell(w, buf_cstr(&path), json);
	buf_clear(&path);
	instance_clear(&in);
	return EX_DONE;
}

int
init_main(int argc, char **argv, bool json)
{
	struct wish	w = { .base = PORT_BASE, .listen = "127.0.0.1" };
	int		rc;

	if (gethostname(w.host, sizeof(w.host) - 1) == -1)
		memcpy(w.host, "localhost", sizeof("localhost"));
	w.hostname = w.host;
	rc = parse_args(&w, argc, argv);
	if (rc == EX_DONE)
		rc = check_wish(&w);
	return rc == EX_DONE ? make(&w, json) : rc;
}

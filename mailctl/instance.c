/*
 * instance - see instance.h.
 */
#include "mailctl/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "mailctl/exits.h"

enum { CONF_MAX = 1024 * 1024 };

const struct unit units[UNITS] = {
	{ "authd", "authd", NULL, C_UID_AUTHD, W_AUTHD, "directory",
	    UNIT_NETNS | UNIT_CTL, 5 },
	{ "queued", "queued", NULL, C_UID_QUEUED, W_QUEUED, "queue",
	    UNIT_NETNS | UNIT_CTL, 2 },
	{ "zygote", "mailboxd", "zygote", C_UID_ZYGOTE, W_MAILBOXD, "store",
	    UNIT_NETNS | UNIT_IDS, 4 },
	{ "mailboxd", "mailboxd", "monitor", C_UID_MAILBOXD, W_MAILBOXD, NULL,
	    UNIT_NETNS | UNIT_STORE_FDS | UNIT_CTL, 3 },
	{ "route", "deliverd", "route", C_UID_ROUTE, W_ROUTE, NULL,
	    UNIT_NETNS, 1 },
	{ "local", "deliverd", "local", C_UID_LOCAL, W_LOCAL, NULL,
	    UNIT_NETNS, 1 },
	{ "smtpd", "smtpd", NULL, C_UID_SMTPD, W_SMTPD, NULL, UNIT_NETNS, 0 },
	{ "imapd", "imapd", NULL, C_UID_IMAPD, W_IMAPD, NULL, UNIT_NETNS, 0 },
	{ "pop3d", "pop3d", NULL, C_UID_POP3D, W_POP3D, NULL, UNIT_NETNS, 0 },
};

const struct socket_row sockets[] = {
	{ "smtpd", "authd", false },
	{ "smtpd", "queued", false },
	{ "imapd", "authd", false },
	{ "imapd", "mailboxd", true },
	{ "pop3d", "authd", false },
	{ "pop3d", "mailboxd", true },
	{ "route", "authd", false },
	{ "route", "queued", false },
	{ "local", "queued", false },
	{ "local", "mailboxd", false },
	{ "mailboxd", "authd", false },
	{ "mailboxd", "zygote", false },
	{ "queued", "authd", false },
};
const unsigned nsockets = sizeof(sockets) / sizeof(sockets[0]);

const struct listen_row listens[] = {
	{ "smtpd", "mx", C_LISTEN_MX },
	{ "smtpd", "submission", C_LISTEN_SUBMISSION },
	{ "imapd", "imap", C_LISTEN_IMAP },
	{ "pop3d", "pop3", C_LISTEN_POP3 },
};
const unsigned nlistens = sizeof(listens) / sizeof(listens[0]);

static void
read_text(const struct instance *in, struct buf *b)
{
	int	fd = open(in->conf_path, O_RDONLY | O_CLOEXEC);
	char	*room;
	ssize_t	n = -1;

	if (fd == -1) {
		fprintf(stderr, "%s: %s; \"mailctl init DIR\" makes an "
		    "instance\n", in->conf_path, strerror(errno));
		exit(EX_CONFIG_);
	}
	/* Room for a read past the limit, which conf_parse then tells. */
	buf_init(b, CONF_MAX + 2 * 65536);
	while ((room = buf_room(b, 65536)) != NULL &&
	    (n = read(fd, room, 65536)) > 0)
		buf_grow(b, (size_t)n);
	close(fd);
	if (n == -1 || room == NULL) {
		fprintf(stderr, "%s: cannot be read, or is over 1 MiB\n",
		    in->conf_path);
		exit(EX_CONFIG_);
	}
}

static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	return xstr(str_of(path, slash == path ? 1 : (size_t)(slash - path)));
}

unsigned
instance_check(const char *conf_path, struct buf *errors)
{
	struct instance	in = { .conf_path = conf_path };
	struct buf	text;
	unsigned	n;

	read_text(&in, &text);
	n = conf_parse(conf_path, buf_str(&text), errors);
	buf_clear(&text);
	return n;
}

void
instance_load(struct instance *in, const char *conf_path)
{
	struct buf errors, text;

	*in = (struct instance){ .conf_path = conf_path, .dirfd = -1 };
	read_text(in, &text);
	buf_init(&errors, CONF_MAX);
	if (conf_parse(conf_path, buf_str(&text), &errors) > 0) {
		fputs(buf_cstr(&errors), stderr);
		exit(EX_CONFIG_);
	}
	buf_clear(&errors);
	in->text = xstr(buf_str(&text));
	buf_clear(&text);
	if (conf_text(C_DIRECTORY)[0] != '\0')
		in->dir = xstrdup(conf_text(C_DIRECTORY));
	else
		in->dir = directory_of(conf_path);
	in->dirfd = open(in->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in->dirfd == -1) {
		fprintf(stderr, "%s: %s\n", in->dir, strerror(errno));
		exit(EX_CONFIG_);
	}
}

void
instance_clear(struct instance *in)
{
	free(in->text);
	free(in->dir);
	if (in->dirfd != -1)
		close(in->dirfd);
	*in = (struct instance){ .dirfd = -1 };
}

int
instance_mkdir(int dirfd, const char *name, unsigned mode, uid_t uid,
    gid_t gid)
{
	int fd;

	if (mkdirat(dirfd, name, 0700) == -1 && errno != EEXIST)
		fatal("make directory %s", name);
	fd = openat(dirfd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		fatal("open directory %s", name);
	if (geteuid() == 0 && fchown(fd, uid, gid) == -1)
		fatal("give directory %s to user %u", name, uid);
	if (fchmod(fd, mode) == -1)
		fatal("mode of directory %s", name);
	return fd;
}

void
instance_dirs(const struct instance *in)
{
	uid_t		uid;
	unsigned	i;

	for (i = 0; i < UNITS; i++) {
		if (units[i].dir == NULL)
			continue;
		uid = (uid_t)conf_num(units[i].uid);
		close(instance_mkdir(in->dirfd, units[i].dir, 0700, uid, uid));
	}
	close(instance_mkdir(in->dirfd, "snapshots", 0700, 0, 0));
	close(instance_mkdir(in->dirfd, "run", 0711, 0, 0));
}

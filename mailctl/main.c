/*
 * mailctl - what the operator types.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/core/log.h"
#include "mailctl/client.h"
#include "mailctl/exits.h"
#include "mailctl/init.h"
#include "mailctl/instance.h"
#include "mailctl/password.h"
#include "mailctl/print.h"
#include "mailctl/run.h"

enum { PASSWORD_MAX = 1024 };

static const char default_conf[] = "/etc/postern/postern.conf";

struct options {
	const char	*conf;
	bool		 json;
};

static void
usage(FILE *f)
{
	const struct ctl_info	*in;
	size_t			 i;

	fputs("usage: mailctl [-c FILE] [--json] COMMAND\n\n"
	    "  init DIR [--port-base 10000] [--listen 127.0.0.1] "
	    "[--hostname NAME]\n"
	    "  run\n"
	    "  config check\n", f);
	for (i = 0; (in = ctl_info_at(i)) != NULL; i++)
		fprintf(f, "  %s%s%s\n", in->words, in->args[0] != '\0' ?
		    " " : "", in->args);
}

/* Takes the options wherever they stand; leaves the words. */
static int
take_options(struct options *o, int argc, char **argv, char **words)
{
	int i, n = 0;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0) {
			if (i + 1 == argc)
				return -1;
			o->conf = argv[++i];
		} else if (strcmp(argv[i], "--json") == 0)
			o->json = true;
		else
			words[n++] = argv[i];
	}
	return n;
}

static void
json_mistakes(struct buf *b, unsigned n, struct str lines)
{
	struct str	line;
	bool		any = false;

	buf_addf(b, "{\"mistakes\": %u, \"errors\": [", n);
	while (lines.n > 0 && str_cut(&lines, '\n', &line)) {
		buf_addz(b, any ? ",\n " : "");
		print_json_str(b, line);
		any = true;
	}
	buf_addz(b, "]}");
}

static int
config_check(const struct options *o)
{
	struct instance	in;
	struct buf	errors, b;
	unsigned	n;

	buf_init(&errors, 1024 * 1024);
	n = instance_check(o->conf, &errors);
	if (n > 0) {
		buf_init(&b, 8 * 1024 * 1024);
		json_mistakes(&b, n, buf_str(&errors));
		if (o->json)
			puts(buf_cstr(&b));
		fputs(buf_cstr(&errors), stderr);
		return EX_CONFIG_;
	}
	instance_load(&in, o->conf);
	if (o->json)
		puts("{\"mistakes\": 0}");
	else
		printf("%s: no mistakes\n", o->conf);
	return EX_DONE;
}

/* How many of the words the command's own words are; 0 if it is another. */
static int
matches(const struct ctl_info *in, char **words, int n)
{
	struct str	rest = str_c(in->words), w;
	int		i = 0;

	while (str_cut(&rest, ' ', &w)) {
		if (i == n || !str_eq(w, str_c(words[i])))
			return 0;
		i++;
	}
	return i;
}

static int
ask_daemon(const struct options *o, const struct ctl_info *in, char **args,
    unsigned n)
{
	struct instance	inst;
	struct buf	extra;
	int		rc;

	if (n < in->least || n > in->most) {
		fprintf(stderr, "usage: mailctl %s%s%s\n", in->words,
		    in->args[0] != '\0' ? " " : "", in->args);
		if (n > in->most && in->most > 2)
			fprintf(stderr, "mailctl: at most %u words at a time\n",
			    in->most);
		return EX_USAGE_;
	}
	instance_load(&inst, o->conf);
	buf_init(&extra, PASSWORD_MAX);
	if (in->extra == CTL_EXTRA_PASSWORD &&
	    password_read(&extra) == -1) {
		buf_wipe(&extra);
		return EX_USAGE_;
	}
	rc = client_run(&inst, in, args, n, buf_str(&extra), o->json);
	buf_wipe(&extra);
	return rc;
}

static int
dispatch(const struct options *o, char **words, int n, int64_t started)
{
	const struct ctl_info	*in;
	struct instance		 inst;
	size_t			 i;
	int			 used;

	if (n >= 1 && strcmp(words[0], "init") == 0)
		return init_main(n, words, o->json);
	if (n == 1 && strcmp(words[0], "run") == 0) {
		instance_load(&inst, o->conf);
		return run_main(&inst, started);
	}
	if (n == 2 && strcmp(words[0], "config") == 0 &&
	    strcmp(words[1], "check") == 0)
		return config_check(o);
	for (i = 0; (in = ctl_info_at(i)) != NULL; i++) {
		used = matches(in, words, n);
		if (used > 0)
			return ask_daemon(o, in, words + used,
			    (unsigned)(n - used));
	}
	usage(stderr);
	return EX_USAGE_;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
main(int argc, char **argv)
{
	struct options	 o = { .conf = default_conf };
	int64_t		 started = now_ms();
	char		**words = calloc((size_t)argc + 1, sizeof(*words));
	int		 n, rc;

	log_init("mailctl");
	if (words == NULL)
		return EX_FAILED;
	n = take_options(&o, argc, argv, words);
	if (n == 1 && (strcmp(words[0], "help") == 0 ||
	    strcmp(words[0], "--help") == 0)) {
		usage(stdout);
		rc = EX_DONE;
	} else if (n <= 0) {
		usage(stderr);
		rc = EX_USAGE_;
	} else
		rc = dispatch(&o, words, n, started);
	free(words);
	return rc;
}

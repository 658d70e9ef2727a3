/*
 * smtp_confs - engines of all kinds to play with, one with limits that are
 * soon reached, and what most dialogues begin with.
 */
#ifndef TESTS_SMTP_CONFS_H
#define TESTS_SMTP_CONFS_H

#include "tests/lib/smtp_drive.h"
#include "tests/lib/unit.h"

static struct smtp_config mx, sub, tiny, noauth;

static inline int
set_up(void **state)
{
	(void)state;
	mx = (struct smtp_config){
		.kind = SMTP_MX, .hostname = STR_INIT("mx.test"),
		.limits = smtp_limits_default
	};
	sub = mx;
	sub.kind = SMTP_SUBMISSION;
	sub.auth = true;
	noauth = sub;
	noauth.auth = false;
	tiny = mx;
	tiny.limits.data.line = 20;
	tiny.limits.data.field = 30;
	tiny.limits.data.header = 60;
	tiny.limits.data.message = 100;
	tiny.limits.rcpts = 3;
	tiny.limits.hops = 2;
	tiny.limits.questions = 2;
	return 0;
}

#define HELO	"EHLO c.test\r\n"
#define TX	HELO "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n"
#define DATA	TX "DATA\r\n"
#define SMUGGLED "MAIL FROM:<smuggled@x>\r\nRCPT TO:<v@y.test>\r\n" \
		"DATA\r\nA: b\r\n\r\nx\r\n.\r\n"
#define T_EV	"mail <a@x.test> 0\nrcpt <b@y.test>\n"
#define D_EV	T_EV "data\n"
#define OPENED	"220 250 250/2.1.0 250/2.1.5"
#define DATAED	OPENED " 354"

#endif

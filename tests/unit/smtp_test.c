/*
 * smtp_test - scenes: what a client sends, what it is answered, what the
 * caller is told.  Each scene is played whole, byte by byte and in odd
 * pieces, with its questions answered at once, in batches, and in batches
 * from the last to the first; replies and events are the same each time.
 * ATTACKS ids in names.  Limits are in smtp_limits_test.c.
 */
#include "tests/lib/smtp_confs.h"

struct scene {
	const char		*name;
	const struct smtp_config *conf;
	struct str		 input;
	const char		*codes;
	const char		*events;	/* NULL: not looked at */
};

static const struct scene scenes[] = {
	{ "a message", &mx,
	  STR_INIT(DATA "S: x\r\n\r\nhello\r\n.\r\nQUIT\r\n"),
	  DATAED " 250/2.0.0 221/2.0.0 closed",
	  D_EV "end 0 S: x\r\n\r\nhello\r\n\nclose 221\n" },
	{ "two messages", &mx,
	  STR_INIT(DATA "S: x\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@y>\r\n"
	  "RCPT TO:<d@y>\r\nDATA\r\nS: y\r\n.\r\n"),
	  DATAED " 250/2.0.0 250/2.1.0 250/2.1.5 250/2.1.5 354 250/2.0.0",
	  D_EV "end 0 S: x\r\n\nmail <> 0\nrcpt <c@y>\nrcpt <d@y>\ndata\n"
	  "end 0 S: y\r\n\n" },
	{ "dots", &mx, STR_INIT(DATA "S: x\r\n\r\n..\r\n...\r\n.a\r\n..b.\r\n"
	  ".\r\n"), DATAED " 250/2.0.0",
	  D_EV "end 0 S: x\r\n\r\n.\r\n..\r\na\r\n.b.\r\n\n" },
	{ "empty message", &mx, STR_INIT(DATA ".\r\n"), DATAED " 250/2.0.0",
	  D_EV "end 0 \n" },
	{ "body 8bit", &mx, STR_INIT(DATA "S: \xff\r\n\r\n\xc3\r\n.\r\n"),
	  DATAED " 250/2.0.0", D_EV "end 0 S: \xff\r\n\r\n\xc3\r\n\n" },
	{ "no header, one line", &mx, STR_INIT(DATA "hello\r\n.\r\n"),
	  DATAED " 250/2.0.0", D_EV "end 0 headless hello\r\n\n" },
	{ "no header, words", &mx,
	  STR_INIT(DATA "Backup is done\r\nTotal: 5\r\n\r\nA: b\r\n.\r\n"),
	  DATAED " 250/2.0.0", D_EV "end 0 headless Backup is done\r\n"
	  "Total: 5\r\n\r\nA: b\r\n\n" },
	{ "no header, odd first lines", &mx, STR_INIT(
	  DATA ": a\r\n.\r\nRSET\r\n"
	  "MAIL FROM:<>\r\nRCPT TO:<b@y>\r\nDATA\r\n..\r\n.\r\n"
	  "MAIL FROM:<>\r\nRCPT TO:<b@y>\r\nDATA\r\n\xc3\xa9: x\r\n.\r\n"
	  "MAIL FROM:<>\r\nRCPT TO:<b@y>\r\nDATA\r\nFrom\r\n x\r\n.\r\n"),
	  DATAED " 250 250 250 250 354 250 250 250 354 250 250 250 354 250",
	  D_EV "end 0 headless : a\r\n\nmail <> 0\nrcpt <b@y>\ndata\n"
	  "end 0 headless .\r\n\nmail <> 0\nrcpt <b@y>\ndata\n"
	  "end 0 headless \xc3\xa9: x\r\n\nmail <> 0\nrcpt <b@y>\ndata\n"
	  "end 0 headless From\r\n x\r\n\n" },
	{ "no header: hops and fields in the body do not count", &tiny,
	  STR_INIT(DATA "a b\r\nReceived: 1\r\nReceived: 2\r\n"
	  "Received: 3\r\n 7890123456789\r\n 7890123456789\r\n.\r\n"),
	  DATAED " 250", NULL },
	{ "no header: the size does", &tiny,
	  STR_INIT(DATA "a b\r\n23456789\r\n23456789\r\n23456789\r\n"
	  "23456789\r\n23456789\r\n23456789\r\n23456789\r\n"
	  "23456789\r\n23456789\r\n2345\r\n.\r\n"),
	  DATAED " 552/5.3.4", NULL },
	{ "an mbox line is neither", &mx, STR_INIT(
	  DATA "From a@b Mon Jan 1\r\nA: b\r\n\r\nx\r\n.\r\n"
	  "MAIL FROM:<>\r\nRCPT TO:<b@y>\r\nDATA\r\n"
	  ">From a@b Mon Jan 1\r\nA: b\r\n\r\nx\r\n.\r\n"),
	  DATAED " 550/5.6.0 250 250 354 550/5.6.0", NULL },
	{ "HELO", &mx, STR_INIT("HELO c\r\nMAIL FROM:<a@b>\r\n"),
	  "220 250 250/2.1.0", "mail <a@b> 0\n" },
	{ "case of verbs", &mx,
	  STR_INIT("ehlo c\r\nmAil frOm:<a@b>\r\nrcpt to:<a@b>\r\n"),
	  OPENED, NULL },
	{ "space after the colon", &mx,
	  STR_INIT(HELO "MAIL FROM: <a@b>\r\nRCPT TO: <c@d>\r\n"), OPENED,
	  "mail <a@b> 0\nrcpt <c@d>\n" },
	{ "trailing spaces", &mx, STR_INIT("EHLO c  \r\nNOOP \r\n"
	  "MAIL FROM:<a@b> \r\nDATA \r\n"),
	  "220 250 250/2.0.0 250/2.1.0 503/5.5.1", NULL },
	{ "any time", &mx, STR_INIT("NOOP\r\nNOOP x y\r\nHELP\r\nVRFY a\r\n"
	  "RSET\r\nVRFY\r\n"),
	  "220 250/2.0.0 250/2.0.0 214/2.0.0 252/2.0.0 250/2.0.0 501/5.5.4",
	  "" },
	{ "not for here", &mx, STR_INIT(HELO "EXPN a\r\nSTARTTLS\r\n"
	  "BDAT 5 LAST\r\nETRN x\r\nAUTH PLAIN\r\n"),
	  "220 250 502/5.5.1 502/5.5.1 502/5.5.1 502/5.5.1 502/5.5.1", "" },
	{ "unknown", &mx, STR_INIT(HELO "FOO\r\n\r\nMAILFROM:<a@b>\r\n"),
	  "220 250 500/5.5.2 500/5.5.2 500/5.5.2", "" },

	/* Order. */
	{ "data needs rcpt", &mx,
	  STR_INIT("HELO x\r\nMAIL FROM:<a@b>\r\nDATA\r\n"),
	  "220 250 250/2.1.0 503/5.5.1", NULL },
	{ "mail needs helo", &mx, STR_INIT("MAIL FROM:<a@b>\r\n"),
	  "220 503/5.5.1", "" },
	{ "rcpt and data first", &mx,
	  STR_INIT(HELO "RCPT TO:<a@b>\r\nDATA\r\n"),
	  "220 250 503/5.5.1 503/5.5.1", "" },
	{ "mail twice", &mx, STR_INIT(TX "MAIL FROM:<z@x>\r\nDATA\r\n"),
	  OPENED " 503/5.5.1 354", D_EV },
	{ "rset", &mx, STR_INIT(TX "RSET\r\nRCPT TO:<a@b>\r\nDATA\r\n"
	  "MAIL FROM:<c@d>\r\n"),
	  OPENED " 250/2.0.0 503/5.5.1 503/5.5.1 250/2.1.0",
	  T_EV "abort 250\nmail <c@d> 0\n" },
	{ "rset before ehlo", &mx, STR_INIT("RSET\r\nMAIL FROM:<c@d>\r\n"),
	  "220 250/2.0.0 503/5.5.1", "" },
	{ "ehlo resets", &mx, STR_INIT(TX HELO "DATA\r\n"),
	  OPENED " 250 503/5.5.1", T_EV "abort 250\n" },
	{ "bad ehlo resets nothing", &mx, STR_INIT(TX "EHLO\r\nDATA\r\n"),
	  OPENED " 501/5.5.4 354", D_EV },
	{ "ehlo arguments", &mx, STR_INIT("EHLO a b\r\nEHLO \xc3\xa9\r\n"
	  "EHLO [192.0.2.1]\r\nEHLO my_pc\r\n"),
	  "220 501/5.5.4 501/5.5.4 250 250", "" },
	{ "data and quit take nothing", &mx,
	  STR_INIT(TX "DATA x\r\nQUIT x\r\nRSET x\r\nDATA\r\n"),
	  OPENED " 501/5.5.4 501/5.5.4 501/5.5.4 354", D_EV },
	{ "quit in a transaction", &mx, STR_INIT(TX "QUIT\r\nNOOP\r\n"),
	  OPENED " 221/2.0.0 closed", T_EV "abort 221\nclose 221\n" },
	{ "C-01 reset after refused data", &mx,
	  STR_INIT(DATA "X-Verdict: policy\r\n.\r\nRCPT TO:<a@b>\r\nDATA\r\n"
	  "MAIL FROM:<c@d>\r\n"),
	  DATAED " 550/5.7.1 503/5.5.1 503/5.5.1 250/2.1.0",
	  D_EV "end 0 X-Verdict: policy\r\n\nmail <c@d> 0\n" },
	{ "C-02 BDAT then DATA", &mx, STR_INIT(HELO "MAIL FROM:<a@b>\r\n"
	  "BDAT x\r\nDATA\r\n"), "220 250 250 502/5.5.1 503/5.5.1", NULL },
	{ "C-03 UTF-8 path, then VRFY", &mx,
	  STR_INIT(HELO "MAIL FROM:<\xc3\xa9@x>\r\nRCPT TO:<a@b>\r\n"
	  "VRFY \xc3\xa9\r\nDATA\r\nMAIL FROM:<a@b>\r\nRCPT TO:<\xc3\xa9@x>"
	  "\r\nVRFY \xc3\xa9\r\nDATA\r\n"),
	  "220 250 553/5.6.7 503/5.5.1 252/2.0.0 503/5.5.1 250/2.1.0 "
	  "553/5.6.7 252/2.0.0 503/5.5.1", "mail <a@b> 0\n" },

	/* Verdicts. */
	{ "recipients", &mx,
	  STR_INIT(HELO "MAIL FROM:<a@x>\r\nRCPT TO:<no@y>\r\n"
	  "RCPT TO:<b@y>\r\nRCPT TO:<relay@y>\r\nNOOP\r\nRCPT TO:<temp@y>\r\n"
	  "RCPT TO:<full@y>\r\nDATA\r\n"),
	  "220 250 250 550/5.1.1 250/2.1.5 550/5.7.1 250/2.0.0 451/4.3.0 "
	  "452/4.3.1 354", NULL },
	{ "none accepted", &mx, STR_INIT(HELO "MAIL FROM:<a@x>\r\n"
	  "RCPT TO:<no@y>\r\nRCPT TO:<temp@y>\r\nDATA\r\nRSET\r\n"),
	  "220 250 250 550 451 503/5.5.1 250", NULL },
	{ "sender refused", &mx, STR_INIT(HELO "MAIL FROM:<policy@x>\r\n"
	  "RCPT TO:<a@y>\r\nDATA\r\n"),
	  "220 250 550/5.7.1 503/5.5.1 503/5.5.1", "mail <policy@x> 0\n" },
	{ "shut down by a verdict", &mx, STR_INIT(HELO "MAIL FROM:<a@x>\r\n"
	  "RCPT TO:<bye@y>\r\nDATA\r\nNOOP\r\n"),
	  "220 250 250 421/4.3.2 closed",
	  "mail <a@x> 0\nrcpt <bye@y>\nabort 421\nclose 421\n" },
	{ "loop by verdict", &mx, STR_INIT(DATA "X-Verdict: loop\r\n.\r\n"),
	  DATAED " 554/5.4.6", NULL },

	/* Limits; the large ones have tests of their own. */
	{ "SIZE", &tiny, STR_INIT(HELO "MAIL FROM:<a@x> SIZE=101\r\n"
	  "MAIL FROM:<a@x> SIZE=99999999999999999999\r\n"
	  "MAIL FROM:<a@x> SIZE=100\r\n"),
	  "220 250 552/5.3.4 552/5.3.4 250/2.1.0", "mail <a@x> 100\n" },
	{ "message at its limit", &tiny, STR_INIT(DATA "S: x\r\n\r\n"
	  "45678901234567890\r\n" "45678901234567890\r\n"
	  "45678901234567890\r\n" "45678901234567890\r\n"
	  "5678901234567\r\n" "\r\n.\r\n"), DATAED " 552/5.3.4",
	  D_EV "abort 0\nrefused 552\n" },
	{ "which fault is told", &tiny, STR_INIT(DATA "\r\n"
	  "123456789012345678901\r\n" "12345678901234567890\r\n"
	  "12345678901234567890\r\n" "12345678901234567890\r\n"
	  "12345678901234567890\r\n" ".\r\n"), DATAED " 552/5.3.4",
	  D_EV "abort 0\nrefused 552\n" },
	{ "message within", &tiny, STR_INIT(DATA "S: x\r\n\r\n"
	  "45678901234567890\r\n" "45678901234567890\r\n"
	  "45678901234567890\r\n" "45678901234567890\r\n"
	  "567890123456\r\n" ".\r\n"), DATAED " 250", NULL },
	{ "line at its limit", &tiny,
	  STR_INIT(DATA "\r\n12345678901234567890\r\n.\r\n"), DATAED " 250",
	  NULL },
	{ "line over its limit", &tiny,
	  STR_INIT(DATA "\r\n123456789012345678901\r\n.\r\nNOOP\r\n"),
	  DATAED " 550/5.6.0 250", D_EV "abort 0\nrefused 550\n" },
	{ "stuffed line at its limit", &tiny,
	  STR_INIT(DATA "\r\n..2345678901234567890\r\n.\r\n"), DATAED " 250",
	  NULL },
	{ "field at its limit", &tiny,
	  STR_INIT(DATA "A: 4567890\r\n 234567890123456\r\n\r\n.\r\n"),
	  DATAED " 250", NULL },
	{ "field over its limit", &tiny,
	  STR_INIT(DATA "A: 4567890\r\n 2345678901234567\r\n\r\n.\r\n"),
	  DATAED " 552/5.3.4", D_EV "abort 0\nrefused 552\n" },
	{ "header at its limit", &tiny, STR_INIT(DATA
	  "A: 456789012345678\r\n" "A: 456789012345678\r\n"
	  "A: 4567890123456\r\n" "\r\n.\r\n"), DATAED " 250", NULL },
	{ "header over its limit", &tiny, STR_INIT(DATA
	  "A: 456789012345678\r\n" "A: 456789012345678\r\n"
	  "A: 45678901234567\r\n" "\r\n.\r\n"), DATAED " 552/5.3.4", NULL },
	{ "hops", &tiny, STR_INIT(DATA "Received: x\r\nrecEIVED :\r\n y\r\n"
	  "XReceived: z\r\nReceivedX:\r\n\r\nReceived: a\r\n.\r\n"),
	  DATAED " 250", NULL },
	{ "L-01 hops over", &tiny, STR_INIT(DATA "Received:\r\nReceived:\r\n"
	  "Received:\r\n.\r\n"), DATAED " 554/5.4.6",
	  D_EV "abort 0\nrefused 554\n" },
	{ "recipients over", &tiny, STR_INIT(TX "RCPT TO:<no@y>\r\n"
	  "RCPT TO:<2@y>\r\nRCPT TO:<3@y>\r\nRCPT TO:<4@y>\r\n"
	  "RCPT TO:<5@y>\r\nDATA\r\n"),
	  OPENED " 550 250 250 452/4.5.3 452/4.5.3 354", NULL },
	{ "ten errors", &mx, STR_INIT(HELO "X\r\nX\r\nX\r\nX\r\nX\r\n"
	  "X\r\nX\r\nX\r\nX\r\nX\r\nNOOP\r\n"),
	  "220 250 500 500 500 500 500 500 500 500 500 500 250", NULL },
	{ "eleven errors", &mx, STR_INIT(HELO "X\r\nX\r\nX\r\nX\r\nX\r\n"
	  "X\r\nX\r\nX\r\nX\r\nX\r\nX\r\nNOOP\r\n"),
	  "220 250 500 500 500 500 500 500 500 500 500 500 421/4.7.0 closed",
	  "close 421\n" },

	/* Lines of commands. */
	{ "bare LF is no end", &mx, STR_INIT(HELO "NOOP\nQUIT\r\nNOOP\r\n"),
	  "220 250 500/5.5.2 250/2.0.0", "" },
	{ "bare LF is told at once", &mx, STR_INIT(HELO "NOOP\n"),
	  "220 250 500/5.5.2", "" },
	{ "bare CR", &mx, STR_INIT(HELO "NOOP\rQUIT\r\nNOOP\r\n"),
	  "220 250 500/5.5.2 250/2.0.0", "" },
	{ "CR CR LF", &mx, STR_INIT(HELO "NOOP\r\r\nNOOP\r\n"),
	  "220 250 500/5.5.2 250/2.0.0", "" },
	{ "NUL", &mx, STR_INIT(HELO "NOOP\0\r\nNOOP\r\n"),
	  "220 250 500/5.5.2 250/2.0.0", "" },
	{ "A-10 GET", &mx, STR_INIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
	  "220 500/5.5.2 closed", "close 500\n" },
	{ "A-10 POST", &mx, STR_INIT("POST /x HTTP/1.1\r\nA: b\r\n\r\n"
	  "EHLO x\r\nMAIL FROM:<a@b>\r\n"), "220 500/5.5.2 closed",
	  "close 500\n" },
	{ "A-10 TLS hello", &mx, STR_INIT("\x16\x03\x01\0\xa5\x01\0\0"),
	  "220 500/5.5.2 closed", "close 500\n" },
	{ "A-06 BDAT is not here, whatever follows it", &mx,
	  STR_INIT(TX "BDAT\r\nBDAT 0\r\nBDAT 0 LAST\r\nBDAT -1\r\n"
	  "BDAT 0x10\r\nBDAT 5 LASTx\r\nBDAT 18446744073709551616\r\n"
	  "DATA\r\nA: b\r\n.\r\n"),
	  OPENED " 502/5.5.1 502/5.5.1 502/5.5.1 502/5.5.1 502/5.5.1 "
	  "502/5.5.1 502/5.5.1 354 250", NULL },
	{ "A-09 From_ lines count", &tiny, STR_INIT(DATA
	  "From x 789012345\r\nFrom x 789012345\r\nFrom x 789012345\r\n"
	  "From x 789012345\r\nFrom x 789012345\r\nFrom x 789012345\r\n"
	  ".\r\n"), DATAED " 552/5.3.4", D_EV "abort 0\nrefused 552\n" },
	{ "A-11 PROXY", &mx,
	  STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\nEHLO x\r\n"),
	  "220 500/5.5.2 closed", "close 500\n" },
	{ "A-11 PROXY, second version", &mx, STR_INIT(
	  "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\0\x19"
	  "EHLO x\r\n"), "220 500/5.5.2 closed", "close 500\n" },
	{ "A-11 XCLIENT", &mx, STR_INIT(HELO "XCLIENT ADDR=192.0.2.1\r\n"
	  "XFORWARD ADDR=192.0.2.1\r\nXCLIENT\r\nNOOP\r\n"),
	  "220 250 500/5.5.2 500/5.5.2 500/5.5.2 250", "" },
	{ "F-12 empty lines", &mx, STR_INIT(HELO "NOOP \xc3\r\n"
	  "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"),
	  "220 250 250 500 500 500 500 500 500 500 500 500 500 421/4.7.0 "
	  "closed", "close 421\n" },
	{ "I-11 what is not built", &sub, STR_INIT(HELO "AUTH EXTERNAL =\r\n"
	  "AUTH NTLM TlRMTVNTUAABAAAA\r\nAUTH RPA\r\nAUTH SCRAM-SHA-1 x\r\n"
	  "AUTH \1\1\1\1\r\nAUTH DIGEST-MD5 \r\nNOOP\r\n"),
	  "220 250 504/5.5.4 504/5.5.4 504/5.5.4 504/5.5.4 504/5.5.4 "
	  "504/5.5.4 250", "" },
	{ "A-10 LF only", &mx, STR_INIT("EHLO x\nMAIL FROM:<a@b>\n"),
	  "220 500/5.5.2 closed", "close 500\n" },

#define FAKE(n, bytes) { "A-01 " n, &mx, \
	  STR_INIT(DATA "A: b\r\n\r\nbody" bytes SMUGGLED), \
	  DATAED " 521/5.5.2 closed", D_EV "abort 521\nclose 521\n" }
	/* each is a fake end of data, or near one. */
	FAKE("1", "\n.\n"), FAKE("2", "\n.\r"), FAKE("3", "\n.\r\n"),
	FAKE("4", "\r.\n"), FAKE("5", "\r.\r"), FAKE("6", "\r.\r\n"),
	FAKE("7", "\r\n.\n"), FAKE("8", "\r\n.\r"),
	FAKE("9", "\r\n.\r\r\n"), FAKE("10", "\r\r\n.\r\r\n"),
	FAKE("11", "\r\n\0.\r\n"), FAKE("12", "\r\n.\0\r\n"),
	FAKE("13", "\r\n.\r\0\n"), FAKE("14", "\n\n.\r\n"),
	FAKE("15", "\0"), FAKE("16", "\r\n.\r."),
	{ "A-08 LF before the border", &mx,
	  STR_INIT(DATA "Subject: a\r\n\nX: y\r\n\r\nbody\r\n.\r\n"),
	  DATAED " 521/5.5.2 closed", D_EV "abort 521\nclose 521\n" },
	{ "A-08 line without colon", &mx,
	  STR_INIT(DATA "A: b\r\nhello\r\nC: d\r\n\r\nx\r\n.\r\n"),
	  DATAED " 550/5.6.0", D_EV "abort 0\nrefused 550\n" },
	{ "A-08 folded name", &mx,
	  STR_INIT(DATA "From\r\n : a@b\r\n\r\nx\r\n.\r\n"),
	  DATAED " 550/5.6.0", D_EV "abort 0\nrefused 550\n" },
	{ "A-08 folded name, more blanks", &mx,
	  STR_INIT(DATA "From \r\n \t : a@b\r\n\r\nx\r\n.\r\n"),
	  DATAED " 550/5.6.0", D_EV "abort 0\nrefused 550\n" },
	{ "A-08 blank line goes on", &mx,
	  STR_INIT(DATA "A: b\r\n \r\nC: d\r\n\r\nx\r\n.\r\n"),
	  DATAED " 250", NULL },
	{ "A-08 begins with a blank", &mx,
	  STR_INIT(DATA " A: b\r\n\r\nx\r\n.\r\n"), DATAED " 550/5.6.0",
	  NULL },
	{ "A-08 NUL in the header", &mx,
	  STR_INIT(DATA "A: b\0\r\n\r\nx\r\n.\r\n"),
	  DATAED " 521/5.5.2 closed", NULL },

	/* Addresses and parameters; addr_test has the grammar. */
	{ "D-01 shell", &mx, STR_INIT(HELO "MAIL FROM:<;touch x;>\r\n"
	  "MAIL FROM:<$(x)@y>\r\nMAIL FROM:<`x`@y>\r\n"
	  "RCPT TO:<${run{x}}@local>\r\nRCPT TO:<\"\\|x\"@local>\r\n"
	  "RCPT TO:<-froot@x>\r\n"),
	  "220 250 501/5.1.7 501/5.1.7 250 250 250 250",
	  "mail <`x`@y> 0\nrcpt <${run{x}}@local>\nrcpt <|x@local>\n"
	  "rcpt <-froot@x>\n" },
	{ "D-02 encoded line breaks", &mx, STR_INIT(HELO
	  "MAIL FROM:<a@b> ENVID=a+0A\r\nMAIL FROM:<a@b> AUTH=x+0AX-H:+20y"
	  "\r\nMAIL FROM:<a@b> ENVID=ok\r\nMAIL FROM:<a@b>\r\n"
	  "RCPT TO:<a@b> ORCPT=rfc822;a+0D+0Ab\r\n"
	  "RCPT TO:<a@b> ORCPT=rfc822;+00\r\n"
	  "RCPT TO:<a@b> ORCPT=rfc822;a\r\nRCPT TO:<a@b> NOTIFY=NEVER\r\n"),
	  "220 250 501/5.5.4 501/5.5.4 555/5.5.4 250 501/5.5.4 501/5.5.4 "
	  "555/5.5.4 555/5.5.4", "mail <a@b> 0\n" },
	{ "D-02 AUTH= where it is offered", &sub, STR_INIT(HELO
	  "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"
	  "MAIL FROM:<a@b> AUTH=x+0AX-H:+20y\r\nMAIL FROM:<a@b> AUTH=\r\n"
	  "MAIL FROM:<a@b> AUTH=<>\r\nRSET\r\n"
	  "MAIL FROM:<a@b> AUTH=e+3Dmc2@example.com\r\n"),
	  "220 250 235 501/5.5.4 501/5.5.4 250 250 250", NULL },
	{ "parameters", &mx, STR_INIT(HELO "MAIL FROM:<a@b> SIZE=\r\n"
	  "MAIL FROM:<a@b> SIZE=-1\r\nMAIL FROM:<a@b> SIZE=1 SIZE=1\r\n"
	  "MAIL FROM:<a@b>SIZE=1\r\nMAIL FROM:<a@b> BODY=BINARYMIME\r\n"
	  "MAIL FROM:<a@b> SMTPUTF8\r\nMAIL FROM:<a@b> RET=FULL\r\n"
	  "MAIL FROM:<a@b> =x\r\nMAIL FROM:<a@b> size=7  body=8bitmime\r\n"),
	  "220 250 501/5.5.4 501/5.5.4 501/5.5.4 501/5.5.4 501/5.5.4 "
	  "555/5.5.4 555/5.5.4 501/5.5.4 250", "mail <a@b> 7 8\n" },
	{ "D-05 odd senders", &mx, STR_INIT(HELO "MAIL FROM:<@d>\r\n"
	  "MAIL FROM:<a@>\r\nMAIL FROM:<a@d@e>\r\nMAIL FROM:<a@d.>\r\n"
	  "MAIL FROM:<postmaster>\r\nMAIL FROM:a@b\r\nMAIL\r\nMAIL TO:<a@b>"
	  "\r\nMAIL FROM:<\"\"@d>\r\n"),
	  "220 250 501/5.1.7 501/5.1.7 501/5.1.7 501/5.1.7 501/5.1.7 "
	  "501/5.1.7 501/5.5.4 501/5.5.4 250", "mail <\"\"@d> 0\n" },
	{ "D-05 odd recipients", &mx, STR_INIT(HELO "MAIL FROM:<>\r\n"
	  "RCPT TO:<>\r\nRCPT TO:<a>\r\nRCPT TO:<a@[127.0.0.1]>\r\n"
	  "RCPT TO:<a@[IPv6:::1]>\r\nRCPT TO:<a%b@D>\r\nRCPT TO:<a!b@d>\r\n"
	  "RCPT TO:<@x,@y:a@d>\r\nRCPT TO:<PostMaster>\r\n"),
	  "220 250 250 501/5.1.3 501/5.1.3 250 250 250 250 250 250",
	  "mail <> 0\nrcpt <a@[127.0.0.1]>\nrcpt <a@[ipv6:::1]>\n"
	  "rcpt <a%b@d>\nrcpt <a!b@d>\nrcpt <a@d> routed\n"
	  "rcpt <postmaster>\n" },
	{ "D-05 NUL in an address", &mx,
	  STR_INIT(HELO "MAIL FROM:<\"a\0b\"@d>\r\nNOOP\r\n"),
	  "220 250 500/5.5.2 250", "" },
	{ "D-06 the content of fields is not read", &mx,
	  STR_INIT(DATA "To: g:;\r\nFrom: g: a@x;\r\nFrom:\r\nTo:\r\n"
	  "From: <a@b\r\n\r\n.\r\n"), DATAED " 250", NULL },
	{ "D-07 encoded words stay as they are", &mx,
	  STR_INIT(HELO "MAIL FROM:<>\r\nRCPT TO:<=?utf-8?q?a=40b?=@c>\r\n"),
	  OPENED, "mail <> 0\nrcpt <=?utf-8?q?a=40b?=@c>\n" },

	/* AUTH. */
	{ "submission wants it", &sub,
	  STR_INIT("MAIL FROM:<a@b>\r\n" HELO "MAIL FROM:<a@b>\r\n"
	  "MAIL bad\r\nRCPT TO:<a@b>\r\n"),
	  "220 503/5.5.1 250 530/5.7.0 530/5.7.0 503/5.5.1", "" },
	{ "PLAIN, initial response", &sub, STR_INIT(HELO
	  "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\nMAIL FROM:<a@b>\r\n"),
	  "220 250 235/2.7.0 250/2.1.0", "auth 0 |alice|secret\n"
	  "mail <a@b> 0\n" },
	{ "PLAIN, authzid", &sub, STR_INIT(HELO "auth plain\r\n"
	  "Ym9iAGFsaWNlAHNlY3JldA==\r\n"), "220 250 334 235/2.7.0",
	  "auth 0 bob|alice|secret\n" },
	{ "LOGIN", &sub, STR_INIT(HELO "AUTH LOGIN\r\nYWxpY2U=\r\n"
	  "c2VjcmV0\r\n"), "220 250 334 334 235/2.7.0",
	  "auth 1 |alice|secret\n" },
	{ "LOGIN, initial response", &sub, STR_INIT(HELO
	  "AUTH LOGIN YWxpY2U=\r\nc2VjcmV0\r\n"), "220 250 334 235/2.7.0",
	  "auth 1 |alice|secret\n" },
	{ "wrong password", &sub, STR_INIT(HELO
	  "AUTH PLAIN AGFsaWNlAHdyb25n\r\nMAIL FROM:<a@b>\r\n"
	  "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"),
	  "220 250 535/5.7.8 530/5.7.0 235/2.7.0", NULL },
	{ "not now", &sub, STR_INIT(HELO "AUTH LOGIN dGVtcA==\r\neA==\r\n"),
	  "220 250 334 454/4.7.0", NULL },
	{ "unknown mechanisms", &sub, STR_INIT(HELO "AUTH\r\nAUTH NTLM\r\n"
	  "AUTH CRAM-MD5 *not base64*\r\nAUTH PLAINX AA==\r\nNOOP\r\n"),
	  "220 250 501/5.5.4 504/5.5.4 504/5.5.4 504/5.5.4 250", "" },
	{ "C-05 cancel", &sub, STR_INIT(HELO "AUTH PLAIN\r\n*\r\n"
	  "AUTH LOGIN\r\nYWxpY2U=\r\n*\r\nNOOP\r\n"),
	  "220 250 334 501/5.7.0 334 334 501/5.7.0 250", "" },
	{ "C-05 twice", &sub, STR_INIT(HELO
	  "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\nAUTH PLAIN\r\nEHLO z\r\n"
	  "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"),
	  "220 250 235 503/5.5.1 250 503/5.5.1", "auth 0 |alice|secret\n" },
	{ "C-05 in a transaction", &sub, STR_INIT(HELO
	  "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\nMAIL FROM:<a@b>\r\n"
	  "AUTH PLAIN\r\nRCPT TO:<a@b>\r\nAUTH PLAIN\r\n"),
	  "220 250 235 250 503/5.5.1 250 503/5.5.1", NULL },
	{ "C-05 not base64", &sub, STR_INIT(HELO "AUTH PLAIN A\r\n"
	  "AUTH PLAIN AGFsaWNlAHNlY3JldA\r\nAUTH PLAIN AGFsaWNlAHNlY3JldA=="
	  "x\r\nAUTH PLAIN \r\nAUTH PLAIN\r\n\xff\xff\xff\xff\r\n"
	  "AUTH LOGIN\r\n====\r\nNOOP\r\n"),
	  "220 250 501/5.5.2 501/5.5.2 501/5.5.2 334 501/5.5.2 500/5.5.2 334 "
	  "501/5.5.2 250", "" },
	{ "an empty initial response", &sub, STR_INIT(HELO "AUTH PLAIN =\r\n"
	  "AUTH LOGIN =\r\nc2VjcmV0\r\n"),
	  "220 250 501/5.5.2 334 501/5.5.2", "" },
	{ "I-03 odd PLAIN", &sub, STR_INIT(HELO "AUTH PLAIN AABwdw==\r\n"
	  "AUTH PLAIN AHVzZXIA\r\nAUTH PLAIN dXNlcgBwdw==\r\n"
	  "AUTH PLAIN YQBiAGMAZA==\r\n"),
	  "220 250 501/5.5.2 501/5.5.2 501/5.5.2 501/5.5.2", "" },
	{ "not after HELO", &sub, STR_INIT("HELO x\r\n"
	  "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"), "220 250 503/5.5.1", "" },
	{ "not before EHLO", &sub,
	  STR_INIT("AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"), "220 503/5.5.1",
	  "" },
	{ "not allowed here", &noauth, STR_INIT(HELO
	  "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\nMAIL FROM:<a@b>\r\n"),
	  "220 250 502/5.5.1 530/5.7.0", "" },
	{ "a bad line cancels", &sub, STR_INIT(HELO "AUTH PLAIN\r\n"
	  "AGFsaWNl\nAHNlY3JldA==\r\nNOOP\r\n"),
	  "220 250 334 500/5.5.2 250", "" },
};

/* Word by word; a word without a status leaves the status open. */
static bool
same_codes(struct str got, struct str want)
{
	struct str g, w;

	while (str_cut(&want, ' ', &w)) {
		if (!str_cut(&got, ' ', &g))
			return false;
		if (str_chr(w, '/') == -1 && str_chr(g, '/') != -1)
			g.n = 3;
		if (!str_eq(g, w))
			return false;
	}
	return got.p == NULL;
}

static void
play(const struct scene *sc, size_t max, unsigned seed, enum drive_order how)
{
	struct drive	d;
	struct buf	codes;

	buf_init(&codes, 1 << 20);
	drive_init(&d, sc->conf, how);
	drive_pieces(&d, sc->input, max, seed);
	drive_codes(&d, true, &codes);
	if (!same_codes(buf_str(&codes), str_c(sc->codes)))
		fail_msg("%s: got %s, not %s", sc->name, buf_cstr(&codes),
		    sc->codes);
	if (sc->events != NULL &&
	    !str_eq(buf_str(&d.events), str_c(sc->events)))
		fail_msg("%s: got\n%s, not\n%s", sc->name,
		    buf_cstr(&d.events), sc->events);
	assert_true(d.kept <= sc->conf->limits.command);
	buf_clear(&codes);
	drive_clear(&d);
}

static void
scenes_in_pieces(void **state)
{
	static const enum drive_order orders[] = {
		DRIVE_AT_ONCE, DRIVE_BATCH, DRIVE_REVERSE
	};
	size_t		i, k;
	unsigned	seed;

	(void)state;
	for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		for (k = 0; k < 3; k++) {
			play(&scenes[i], 0, 0, orders[k]);
			play(&scenes[i], 1, 0, orders[k]);
			for (seed = 1; seed <= 8; seed++)
				play(&scenes[i], 3 * seed, seed, orders[k]);
		}
	}
}

/* every cut in two of every scene. */
static void
scenes_cut(void **state)
{
	struct drive	d, e;
	size_t		i, at;

	(void)state;
	for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		drive_init(&d, scenes[i].conf, DRIVE_AT_ONCE);
		drive_feed(&d, scenes[i].input);
		for (at = 1; at < scenes[i].input.n; at++) {
			drive_init(&e, scenes[i].conf, DRIVE_BATCH);
			drive_feed(&e, str_sub(scenes[i].input, 0, at));
			drive_feed(&e, str_from(scenes[i].input, at));
			assert_true(str_eq(buf_str(&d.replies),
			    buf_str(&e.replies)));
			assert_true(str_eq(buf_str(&d.events),
			    buf_str(&e.events)));
			drive_clear(&e);
		}
		drive_clear(&d);
	}
}

/* The very bytes of the replies that clients parse. */
static void
texts(void **state)
{
	struct drive d;

	(void)state;
	drive_init(&d, &sub, DRIVE_AT_ONCE);
	drive_feed(&d, S("EHLO c\r\nAUTH LOGIN\r\n*\r\nHELO c\r\nQUIT\r\n"));
	assert_string_equal(buf_cstr(&d.replies),
	    "220 mx.test ESMTP Postern\r\n"
	    "250-mx.test\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n"
	    "250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n"
	    "250-AUTH PLAIN LOGIN\r\n250 HELP\r\n"
	    "334 VXNlcm5hbWU6\r\n501 5.7.0 authentication cancelled\r\n"
	    "250 mx.test\r\n221 2.0.0 bye\r\n");
	drive_clear(&d);
	drive_init(&d, &mx, DRIVE_AT_ONCE);
	drive_feed(&d, S(DATA ".\r\n"));
	assert_non_null(strstr(buf_cstr(&d.replies),
	    "354 end with <CRLF>.<CRLF>\r\n"
	    "250 2.0.0 queued as 000000000001a\r\n"));
	assert_null(strstr(buf_cstr(&d.replies), "AUTH"));
	drive_clear(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenes_in_pieces),
		cmocka_unit_test(scenes_cut),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

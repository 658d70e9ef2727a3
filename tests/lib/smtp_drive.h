/*
 * smtp_drive - plays a client's bytes to an SMTP engine, whole or in pieces,
 * answers its questions by rule, and writes down what happened in a form that
 * does not depend on the pieces.
 *
 * The rules: a recipient's local part, or a sender's, is the verdict: "no",
 * "relay", "temp", "full" and so on (drive_verdict); any other is accepted.
 * A message is refused by a field "X-Verdict: name".  The user alice has the
 * password secret; "temp" cannot be checked now.
 */
#ifndef TEST_SMTP_DRIVE_H
#define TEST_SMTP_DRIVE_H

#include "smtpd/smtp.h"

enum drive_order {
	DRIVE_AT_ONCE,		/* each question answered as it comes */
	DRIVE_BATCH,		/* when no more come, in order */
	DRIVE_REVERSE		/* when no more come, the last first */
};

struct drive {
	struct smtp	s;
	enum drive_order order;
	enum smtp_reply	data_verdict;	/* to SMTP_EV_DATA; OK by default */
	struct buf	in;		/* not taken yet */
	struct buf	replies;	/* everything sent */
	struct buf	events;		/* one line each */
	struct buf	content;	/* of the open message */
	struct smtp_event open[SMTP_SLOTS];
	unsigned	opened;
	unsigned	most;		/* questions open at once */
	unsigned	states;		/* bits: those seen */
	bool		headless;	/* the last message was */
	size_t		kept;		/* most bytes of input not taken */
	bool		closed;
};

/* What the first byte of a fuzz input, or of a seed, stands for. */
void	drive_config(uint8_t, struct smtp_config *);

void	drive_init(struct drive *, const struct smtp_config *,
	    enum drive_order);
void	drive_clear(struct drive *);
void	drive_feed(struct drive *, struct str);
/* In pieces of 1 to max bytes, by seed; max 0: whole. */
void	drive_pieces(struct drive *, struct str, size_t max, unsigned seed);

enum smtp_reply drive_verdict(struct str name);

/* "220 250 550/5.1.1 closed": one word per reply. */
void	drive_codes(const struct drive *, bool status, struct buf *);

#endif

/*
 * zygote - forks an owner for a mailbox, or a helper for an owner, and does
 * nothing else.
 *
 * It is a page of code because it holds CAP_SETUID, CAP_SETGID and CAP_CHOWN:
 * one message of fixed length, its numbers checked against their ranges, a
 * fork.  It never has a secret, runs no event loop, and trusts nothing that
 * it reads.
 */
#ifndef MAILBOXD_ZYGOTE_H
#define MAILBOXD_ZYGOTE_H

int	zygote_main(void);

#endif

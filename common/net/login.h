/*
 * login - what a front and the engine of its protocol say to each other
 * before somebody is logged in.  The engine is pure: bytes in, bytes out, and
 * one question, which the front asks authd and mailboxd.
 *
 * While a question is open the engine takes no input; after ANSWER_OK it
 * never takes any again, and what is left belongs to the owner.
 */
#ifndef NET_LOGIN_H
#define NET_LOGIN_H

#include "common/core/buf.h"

enum {
	LOGIN_INPUT_MAX = 8 * 1024,	/* bytes in all before a login */
	LOGIN_OUTPUT_MAX = 32 * 1024,	/* of answers, before one more */
	LOGIN_OUT_MAX = 512 * 1024,	/* more than so few bytes can cause */
	LOGIN_USER_MAX = 320,
	LOGIN_PASSWORD_MAX = 1024,
	LOGIN_FAILURES_MAX = 5,		/* wrong passwords */
	LOGIN_ERRORS_MAX = 10		/* commands that are none */
};

enum login_state {
	LOGIN_TALKING,
	LOGIN_ASKING,		/* user and password are set */
	LOGIN_IN,
	LOGIN_OVER		/* send what is in out, then close */
};

enum login_answer {
	ANSWER_OK,		/* the mailbox is open */
	ANSWER_BAD,		/* no such user, or not this password */
	ANSWER_TEMP,		/* nobody can say now */
	ANSWER_UNAVAILABLE,	/* the password is right; no mailbox now */
	ANSWER_IN_USE		/* another session has it alone */
};

/* Why a connection ends: the first four are the front's reasons. */
enum login_bye {
	BYE_FULL,
	BYE_ADDRESS_FULL,
	BYE_TIME,
	BYE_STOPPING,
	BYE_INPUT,		/* LOGIN_INPUT_MAX, LOGIN_OUTPUT_MAX */
	BYE_ERRORS,
	BYE_FAILURES
};

/* What a reply is; the protocol knows how it looks. */
enum login_reply {
	REPLY_IN,		/* logged in */
	REPLY_FAILED,		/* wrong user or password */
	REPLY_TEMP,		/* not our client's mistake */
	REPLY_IN_USE,		/* RFC 2449 8.1.1, RFC 5530 */
	REPLY_CLOSED,		/* no passwords here */
	REPLY_NO,		/* understood, but not to be had */
	REPLY_BAD		/* not a command, not its arguments */
};

struct login {
	const struct login_ops	*ops;
	const char		*hostname;	/* borrowed */
	bool			 open;		/* passwords are taken here */
	bool			 in_auth;	/* the next line is AUTH's */
	enum login_state	 state;
	struct buf		 out;
	struct buf		 user, password; /* wiped by the answer */
	size_t			 input;		/* bytes taken so far */
	size_t			 output;	/* answered before this feed */
	size_t			 out_from;	/* and since, in out */
	unsigned		 failures, errors;
	unsigned		 commands;	/* that were ones */
};

/*
 * A protocol; each function is for a struct login of its own `make`.  The
 * texts are login.c's, the codes around them are the protocol's.
 */
struct login_ops {
	struct login	*(*make)(void);
	void		(*free)(struct login *);
	void		(*greet)(struct login *);
	size_t		(*feed)(struct login *, struct str);
	void		(*reply)(struct login *, enum login_reply,
			    const char *text);
	/* The last words; it is over when this returns. */
	void		(*bye)(struct login *, enum login_bye,
			    const char *text);
};

struct login	*login_new(const struct login_ops *, const char *hostname,
		    bool open);
void		 login_free(struct login *);	/* NULL is fine */
void		 login_greet(struct login *);
/* Says why and ends it; also in place of a greeting. */
void		 login_bye(struct login *, enum login_bye);

/*
 * Takes commands off the front of the input; says how many bytes.  What it
 * leaves is unfinished, or waits for the answer, or for the owner.
 */
size_t		 login_feed(struct login *, struct str);
/* Only in LOGIN_ASKING. */
void		 login_answer(struct login *, enum login_answer);

/* -- for the engines: each replies -------------------------------------- */

/* True, and said, when no passwords are taken here. */
bool		 login_is_closed(struct login *);
/* Opens the question, or fails when one is longer than any can be. */
void		 login_try(struct login *, struct str user,
		    struct str password);
/*
 * AUTH or AUTHENTICATE: PLAIN of RFC 4616, with the initial response, or
 * none (p NULL).  While in_auth is set the next line is login_auth_line's.
 */
void		 login_auth(struct login *, struct str mechanism,
		    struct str initial);
void		 login_auth_line(struct login *, struct str);
/* A command that is none.  The first thing said, or too many: it is over. */
void		 login_error(struct login *, const char *text);
/* True, and over, when that many more bytes are too many. */
bool		 login_is_too_much(struct login *, size_t more);

#endif

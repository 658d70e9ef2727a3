/*
 * frame - the byte stream between a front and the owner of a mailbox: HELLO
 * and its answer, then frames in both directions.
 *
 * A frame is {u8 type, u24 length (little endian), bytes}.  An unknown type,
 * a length over FRAME_MAX or a frame out of place ends the connection.  A
 * whole frame is 64 KiB at most, so that it fits the input of a stream.
 */
#ifndef IPC_FRAME_H
#define IPC_FRAME_H

#include "common/core/buf.h"
#include "common/ipc/ticket.h"

enum {
	FRAME_HEADER = 4,
	FRAME_MAX = 64 * 1024 - FRAME_HEADER,	/* bytes of a body */
	FRAME_PIECE = 16 * 1024,		/* what we make DATA of */
	HELLO_CLIENT_MAX = 64,
	HELLO_RESUME_MAX = 16 * 1024
};

enum frame_type {
	FRAME_HELLO = 1,		/* front: who wants in */
	FRAME_READY = 2,		/* let in; its body is empty */
	FRAME_UNAVAILABLE = 3,		/* u8 reason; try later */
	FRAME_MOVED = 4,		/* another host has it; reserved */
	FRAME_DATA = 5,
	FRAME_CLOSE = 6,		/* u8 reason; the last frame */
	FRAME_COMPRESS = 7,		/* reserved: RFC 4978 */
	FRAME_UNAUTHENTICATE = 8,	/* reserved: RFC 8437 */
	FRAME_PARK = 9			/* reserved */
};

/* The body of CLOSE. */
enum close_reason {
	CLOSE_DONE = 0,		/* the session ended as it should */
	CLOSE_LOST = 1,		/* the client will send no more */
	CLOSE_STOPPING = 2,	/* the front goes down; say so to the client */
	CLOSE_REFUSED = 3	/* the last frame was one that is reserved */
};

enum frame_result {
	FRAME_GOT,
	FRAME_MORE,		/* not whole yet */
	FRAME_BAD
};

struct frame {
	enum frame_type	type;
	struct str	body;	/* borrowed from the input */
};

struct hello {
	enum service	service;
	uint64_t	sid;
	struct str	ticket;
	struct str	client;		/* address, as text */
	struct str	resume;		/* reserved: refused unless empty */
};

/* The frame at the front of the input; the caller drops *used bytes. */
enum frame_result frame_next(struct str in, struct frame *, size_t *used);
void	frame_add(struct buf *, enum frame_type, struct str body);
/* As many DATA frames as the bytes need. */
void	frame_add_data(struct buf *, struct str);

void	frame_add_unavailable(struct buf *, enum unavailable);
void	frame_add_close(struct buf *, enum close_reason);

void	hello_add(struct buf *, const struct hello *);
/* 0, or -1 if it is not one; whether it is true is for the ticket to say. */
int	hello_parse(struct str body, struct hello *);

#endif

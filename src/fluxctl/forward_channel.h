/*
 * forward_channel: what fluxctl and its process that forwards say to each
 * other: a letter, then a text or nothing, in one packet.
 */
#ifndef CTL_FORWARD_CHANNEL_H
#define CTL_FORWARD_CHANNEL_H

#include "base.h"
#include "error.h"
#include "options.h"

#include <sys/types.h>

enum channel_letter {
	/* to the one that forwards */
	CHANNEL_CONNECT = 'c', /* with a socket */
	CHANNEL_WHY = 'w',     /* did the last connection not work? */
	/* from it, one for each */
	CHANNEL_DONE = 'd',
	CHANNEL_FAILED = 'f' /* and why, as far as it is known */
};

#define CHANNEL_TEXT_MAX 8192 /* bytes of a text; the rest is cut */

/* `fd` -1: none goes along.  FX_ESYS: the other end is gone, which who waits
 * for its answer finds out by himself. */
int channel_send(int channel, enum channel_letter, const char *text, int fd);

/* *text is owned; *fd, if not NULL, is -1 when none came along. */
int channel_receive(int channel, enum channel_letter *, char **text,
    int *fd) FX_MUSTUSE;

/* Close the channel to a process of ours and wait for its end: it may say
 * good-bye to whom it talks with, but is killed if that takes long. */
void channel_end(int channel, pid_t);

/* What such a process ends with: it shares with ours what is written at exit.
 */
void channel_exit(int status) FX_NORETURN;

/* Have a standard descriptor lead nowhere: whoever waits for the end of what
 * our own process writes must not wait for others that have it, too. */
void channel_let_go(int fd);

/* Forward for the process at the other end of the channel, as the options say;
 * does not return. */
void forwarder_run(int channel, const struct ctl_options *) FX_NORETURN;

#endif

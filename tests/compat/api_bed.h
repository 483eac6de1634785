/*
 * api_bed: the real fluxd-api between a scripted master and a test.
 *
 * bed_start forks a process that plays the master: it starts the worker as the
 * launcher would, hands it three listeners (TCP with the API, TCP with metrics
 * alone, Unix) and answers what the worker asks, by the names in the question.
 * What was asked, the test can read as text.
 */
#ifndef FX_API_BED_H
#define FX_API_BED_H

#include "base.h"
#include "buf.h"

#include <sys/types.h>

struct bed {
	pid_t master;	  /* our child, which plays it */
	pid_t worker;	  /* its child */
	int asked;	  /* what the worker asked, a line each */
	int stop;	  /* closing it tells the master to stop */
	int port;	  /* of the API and everything beside it */
	int metrics_port; /* of metrics alone; 0: there is none */
	char path[64];	  /* of the Unix socket */
	char dir[32];	  /* where that is; removed at the end */
};

#define BED_WAIT_MS 60000 /* for what must come */
#define BED_QUIET_MS 1000 /* without anything, for what must not */

struct bed_options {
	bool metrics_apart;
	const char *group; /* --listen-group */
	int uid;	   /* the worker's own; -1: not changed */
};

/* Ends the test program if it cannot be started. */
void bed_start(struct bed *, const struct bed_options *);
/* The worker must still be the one that was started, and end when the master
 * closes its channel.  Returns its wait status. */
int bed_stop(struct bed *);

/* A connected socket with a receive timeout of ten seconds. */
int bed_connect(int port);
int bed_connect_unix(const struct bed *);

/* As send and recv, but for all of it, and not interrupted when the test was
 * stopped for a while, as they are on a socket with a timeout. */
bool bed_send(int fd, const void *, size_t);
ssize_t bed_recv(int fd, void *, size_t);

/* Send all of it, then read until the worker closes or timeout. */
char *bed_exchange(int port, const void *request, size_t n);
/* The same for a text, over a socket that is closed afterwards. */
char *bed_talk(int fd, const void *request, size_t n);

/* One answer from a connection that stays open: head, and as much body as
 * Content-Length says.  NULL: the connection ended before. */
char *bed_read_answer(int fd, bool head_only);

/* The next line of what was asked, for which a busy machine has time; "" if
 * there is none. */
char *bed_asked(struct bed *);
/* What was asked up to now, and is there none within a second? */
void bed_forget_asked(struct bed *);
bool bed_asked_nothing(struct bed *);

/* Resident memory of the worker now, in KiB, and descriptors open in it. */
long bed_rss_kib(const struct bed *);
long bed_fds(const struct bed *);
/* As many as there are while nobody is connected.  Only for who has closed all
 * connections: a new one is answered more than once, so that the worker has had
 * the time to see them go. */
long bed_idle_fds(const struct bed *);
/* Are there so many, or less, in the end?  Descriptors are closed a moment
 * after their clients have gone. */
bool bed_fds_fall(const struct bed *, long to);

#endif

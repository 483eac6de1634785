/*
 * probe: the attacks, and what they aim at.
 */
#ifndef FX_ATTACK_PROBE_H
#define FX_ATTACK_PROBE_H

#include "base.h"
#include "roles.h"

#include <sys/types.h>

struct probe {
	const char *id; /* the attack case */
	const char *what;
	int (*attack)(void); /* 0: it worked */
	uint32_t by_design;  /* set of roles for which it may work */
	bool per_victim;     /* against each other process in turn */
};

extern const struct probe probes[];
extern const size_t nprobes;

/* What an attack finds around it. */
struct probe_world {
	pid_t victim;	   /* somebody else */
	int stream, local; /* sockets from before, not connected */
	int listener;	   /* the same, listening */
	int tcp_port;	   /* somebody listens there, on 127.0.0.1 */
	char abstract[64]; /* and on this abstract name */
	char dir[64], file[80], other[80]; /* anybody may change these */
	bool stderr_is_file;
};

extern struct probe_world probe_world;

/* Make what is attacked; files belong to uid from then on.  Closing tells
 * whether nothing was added or taken. */
void probe_open_targets(void);
void probe_give_targets(uid_t uid);
void probe_renew_file(void); /* after an attack that worked */
bool probe_close_targets(void);

#endif

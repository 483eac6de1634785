/*
 * peers: who is at the other end of a client's connection.
 *
 * Connections are counted by peer, so that one cannot take all places: an IPv4
 * address, an IPv6 network of 64 bits, or a user on the Unix socket, where the
 * kernel also says whether that user may be there at all.
 */
#ifndef FX_PEERS_H
#define FX_PEERS_H

#include "base.h"

#include <sys/socket.h>
#include <sys/types.h>

#define PEER_KEY 9
#define PEER_MAX_GROUPS 1024 /* of a user on the Unix socket */

/* Equal peers have equal bytes. */
struct peer_id {
	uint8_t key[PEER_KEY];
};

/* The service of --connect: the key of no address and of no user. */
#define PEER_SERVICE                                                           \
	{                                                                      \
		.key = { 2 }                                                   \
	}

/* Who may use the Unix socket beside root. */
struct peer_rule {
	uid_t owner; /* the user fluxd was started by */
	bool has_group;
	gid_t group; /* of --listen-group */
};

void peer_of_address(const struct sockaddr *, struct peer_id *out);
bool peer_equal(const struct peer_id *, const struct peer_id *);

/* The owner of a listening Unix socket: who called listen(2) on it. */
int peer_owner(int listener, uid_t *out) FX_MUSTUSE;

/* Whom the kernel says is connected, and whether the rule lets them in.
 * FX_EDENIED: it does not; FX_ESYS: not a Unix socket. */
int peer_of_user(int fd, const struct peer_rule *, struct peer_id *out,
    uid_t *uid) FX_MUSTUSE;

/* The rule alone, for groups already known. */
bool peer_may_connect(const struct peer_rule *, uid_t, const gid_t *groups,
    size_t n);

#endif

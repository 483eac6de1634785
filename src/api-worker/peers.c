/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "peers.h"

#include <netinet/in.h>

enum peer_kind { PEER_INET = 4, PEER_INET6 = 6, PEER_USER = 1 };

static void
set_key(struct peer_id *p, enum peer_kind kind, const void *bytes, size_t n)
{
	memset(p, 0, sizeof(*p));
	p->key[0] = (uint8_t)kind;
	memcpy(p->key + 1, bytes, n);
}

void
peer_of_address(const struct sockaddr *sa, struct peer_id *out)
{
	/* the structs are copied: the address may lie unaligned */
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		set_key(out, PEER_INET, &in.sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
			set_key(out, PEER_INET, &in6.sin6_addr.s6_addr[12], 4);
		else
			set_key(out, PEER_INET6, &in6.sin6_addr, 8);
	} else {
		set_key(out, PEER_USER, "", 0);
	}
}

bool
peer_equal(const struct peer_id *a, const struct peer_id *b)
{
	return memcmp(a->key, b->key, PEER_KEY) == 0;
}

int
peer_owner(int listener, uid_t *out)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);

	if (getsockopt(listener, SOL_SOCKET, SO_PEERCRED, &cred, &n) == -1)
		return FX_ESYS;
	*out = cred.uid;
	return FX_OK;
}

bool
peer_may_connect(const struct peer_rule *rule, uid_t uid, const gid_t *groups,
    size_t n)
{
	if (uid == 0 || uid == rule->owner)
		return true;
	for (size_t i = 0; rule->has_group && i < n; i++)
		if (groups[i] == rule->group)
			return true;
	return false;
}

int
peer_of_user(int fd, const struct peer_rule *rule, struct peer_id *out,
    uid_t *uid)
{
	gid_t groups[PEER_MAX_GROUPS + 1];
	struct ucred cred;
	socklen_t n = sizeof(cred);
	socklen_t ngroups = sizeof(groups) - sizeof(groups[0]);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == -1)
		return FX_ESYS;
	/* more groups than fit: none of them counts */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &ngroups) == -1)
		ngroups = 0;
	groups[ngroups / sizeof(groups[0])] = cred.gid;
	set_key(out, PEER_USER, &cred.uid, sizeof(cred.uid));
	*uid = cred.uid;
	return peer_may_connect(rule, cred.uid, groups,
		   ngroups / sizeof(groups[0]) + 1)
	    ? FX_OK
	    : FX_EDENIED;
}

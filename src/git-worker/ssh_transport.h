/*
 * ssh_transport: git over ssh for libgit2: its smart protocol on ssh.h.
 */
#ifndef FX_SSH_TRANSPORT_H
#define FX_SSH_TRANSPORT_H

#include "base.h"
#include "link.h"
#include "ssh.h"

/* What URL to give libgit2: the transport knows where to go by itself. */
#define SSH_TRANSPORT_URL "ssh://remote/"

/* From now on libgit2 uses this session for SSH_TRANSPORT_URL.  Once per
 * process; both outlive every remote. */
int
ssh_transport_register(struct link *, struct ssh *, struct fx_err *) FX_MUSTUSE;

#endif

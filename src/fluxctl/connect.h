/*
 * connect: the step from the person's side to the daemon's.
 *
 * A command looks at what it was given, so that a mistake in that is shown
 * whether there is a daemon or not; then it connects.  What the person's files,
 * git and terminal say has been read by then, and can be read no more: what
 * comes next may come from somebody who means harm.
 */
#ifndef CTL_CONNECT_H
#define CTL_CONNECT_H

#include "base.h"

struct ctl;

/* Fill in what the flags leave open.  forwarded: of a kubeconfig that leads to
 * the daemon only the process that forwards knows anything. */
void ctl_look_around(struct ctl *, bool forwarded);

/* Find the daemon, look around, give up the rest, and have a client. */
int ctl_connect(struct ctl *) FX_MUSTUSE;

#endif

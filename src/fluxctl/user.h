/*
 * user: who says what is to be committed.
 */
#ifndef CTL_USER_H
#define CTL_USER_H

#include "base.h"

/*
 * "Name <address>" as git is configured in this directory, or the one of the
 * two that there is, or "", also without git.  Starts git; owned by the caller.
 */
char *ctl_git_user(void);

#endif

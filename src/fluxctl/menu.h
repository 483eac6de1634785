/*
 * menu: choosing on the terminal which containers to update.
 */
#ifndef CTL_MENU_H
#define CTL_MENU_H

#include "cmd.h"
#include "result.h"

#include <jansson.h>

/*
 * Lets the user check and uncheck the updates among the rows.  *chosen is
 * owned: the updates of each workload; NULL where there is nothing to do, of
 * which the user has been told.
 */
int menu_run(struct ctl *, struct result *, json_t **chosen) FX_MUSTUSE;

#endif

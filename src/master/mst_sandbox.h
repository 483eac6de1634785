/* mst_sandbox: what confines the master; see sandbox.h. */
#ifndef FX_MST_SANDBOX_H
#define FX_MST_SANDBOX_H

#include "sandbox.h"

extern const struct sandbox mst_sandbox;

#endif

/*
 * ipc: what follows from the message table for everybody who speaks it.
 *
 * For a row NAME (lower-case form `name`):
 *
 *	struct ipc_name			fields as C members
 *	IPC_T_NAME			its number
 *	ipc_name_encode / _decode / _clear
 *	ipc_tell_name(peer, &m)		an EVENT
 *	ipc_ask_name(peer, &m, fn, arg)	an ASK; fn gets the answer
 *	ipc_reply_name(&req, &m)	an ANSWER or PART
 *
 * A decoded struct owns its members until ipc_name_clear: strings are never
 * NULL, lists are NULL when empty, an FD is closed unless taken (set it to -1).
 * To encode, members may point anywhere; a NULL string stands for an empty
 * one; a descriptor that is sent belongs to the channel from then on.  Decoding
 * insists on exactly the fields of the row within their limits, with nothing
 * behind them; anything else is a protocol violation: FX_ESYNTAX, FX_ELIMIT or
 * FX_ESHORT.
 */
#ifndef FX_IPC_H
#define FX_IPC_H

#include "base.h"
#include "buf.h"
#include "ipc_limits.h"

/* ---- roles ------------------------------------------------------------- */

enum ipc_role {
#define ROLE(id, ...) IPC_R_##id,
#include "roles.def"
	IPC_R_COUNT
};

#define IPC_BIT(role) (1u << (role))
enum {
#define ROLE(id, ...) IPC_S_##id = IPC_BIT(IPC_R_##id),
#include "roles.def"
	IPC_S_ANY = IPC_BIT(IPC_R_COUNT) - 1,
	IPC_S_ANY_WORKER =
	    IPC_S_ANY & ~(IPC_S_MASTER | IPC_S_LAUNCHER | IPC_S_LAUNCH_NET),
};

const char *ipc_role_name(enum ipc_role);
const char *ipc_role_executable(enum ipc_role);
const char *ipc_role_holds(enum ipc_role);
bool ipc_role_blocks(enum ipc_role);

/* ---- values that fields hold ------------------------------------------- */

/* Files that the launcher opens and the master passes on. */
enum ipc_file_id {
	IPC_FILE_DEPLOY_KEY,
	IPC_FILE_GIT_PASSWORD, /* sealed memory file */
	IPC_FILE_KNOWN_HOSTS_SYSTEM,
	IPC_FILE_KNOWN_HOSTS_USER,
	IPC_FILE_GIT_CA,     /* CA bundle for git over https, and --connect */
	IPC_FILE_KUBECONFIG, /* the file of --kube-config or KUBECONFIG */
	IPC_FILE_SA_TOKEN,   /* in-cluster service account */
	IPC_FILE_SA_CA,
	IPC_FILE_SA_NAMESPACE,
	IPC_FILE_MIRROR_LOCK,
	IPC_FILE_LOG,
	IPC_FILE_API_TOKEN,	 /* --listen-token-file */
	IPC_FILE_UPSTREAM_TOKEN, /* of --token: sealed memory file */
	IPC_FILE_PROXY_LOGIN,	 /* user:password of the proxy: the same */
	IPC_FILE_MADE_KEY, /* a deploy key that was made; sealed memory file */
	IPC_FILE_COUNT,
	IPC_FILE_NAMED = 100, /* + n: n-th path of PATHS_NAMED */
};

enum ipc_key_how {
	IPC_KEY_REPLACE, /* whatever the Secret holds */
	IPC_KEY_FIRST,	 /* unless it holds a key */
	IPC_KEY_LOOK,	 /* does it hold this one? */
	IPC_KEY_HOW_COUNT,
};

enum ipc_listener_kind { IPC_LISTEN_API, IPC_LISTEN_UNIX, IPC_LISTEN_METRICS };

enum ipc_scope_kind {
	IPC_SCOPE_NAMESPACED,
	IPC_SCOPE_CLUSTER,
	IPC_SCOPE_UNKNOWN, /* the server does not have it: left out of the load
			    */
	IPC_SCOPE_FAILED,  /* could not be asked: the load fails */
};

#define IPC_POLICY_IGNORE 1u	/* ignore: "true" in git */
#define IPC_POLICY_SYNC_ONLY 2u /* ignore: sync_only in git */

/* What a note recovers; the names are upstream's. */
enum ipc_event_kind { IPC_EVENT_RELEASE, IPC_EVENT_AUTORELEASE };

/* What the commits of a sync were, for its event. */
#define IPC_INCLUDES_RELEASE 1u
#define IPC_INCLUDES_AUTORELEASE 2u
#define IPC_INCLUDES_POLICY 4u
#define IPC_INCLUDES_OTHER 8u

enum ipc_repository_state {
	IPC_REPOSITORY_READY,
	IPC_REPOSITORY_NOT_READY, /* not cloned, unreachable, no such branch */
	IPC_REPOSITORY_NONE,	  /* not configured */
};

/* The connection to the service of --connect. */
enum ipc_service_state {
	IPC_SERVICE_LOST,
	IPC_SERVICE_CONNECTED,
	IPC_SERVICE_GONE, /* it wants nobody of our kind any more */
};

enum ipc_change { IPC_CHANGE_GIT, IPC_CHANGE_IMAGE };

enum ipc_update_kind {
	IPC_UPDATE_SYNC,
	IPC_UPDATE_POLICY,
	IPC_UPDATE_IMAGE,
	IPC_UPDATE_CONTAINERS,
};

enum ipc_job_status {
	IPC_JOB_UNKNOWN, /* no such job */
	IPC_JOB_QUEUED,
	IPC_JOB_RUNNING,
	IPC_JOB_FAILED,
	IPC_JOB_SUCCEEDED,
};

/* Where git-local keeps the new sync tag until it is pushed. */
#define IPC_STAGED_TAG "refs/fluxd/staged-tag"

/* ---- structs ------------------------------------------------------------ */

struct ipc_bytes {
	uint8_t *p; /* owned after decoding; may be NULL when n is 0 */
	size_t n;
};

#define IPC_U64(f) uint64_t f;
#define IPC_I64(f) int64_t f;
#define IPC_BOOL(f) bool f;
#define IPC_STR(f, max) char *f;
#define IPC_BYTES(f, max) struct ipc_bytes f;
#define IPC_FD(f) int f;
#define IPC_LIST(rec, f, max)                                                  \
	struct ipc_##rec *f;                                                   \
	size_t f##_len;
#define IPC_RECORD(n, ...)                                                     \
	struct ipc_##n {                                                       \
		__VA_ARGS__                                                    \
	};
/* `empty` lets a row without fields be a struct too. */
#define IPC_MSG(id, n, from, to, ph, kind, ...)                                \
	struct ipc_##n {                                                       \
		__VA_ARGS__                                                    \
		char empty;                                                    \
	};
#include "ipc_messages.def"
#include "ipc_undef.h"

enum ipc_type {
	IPC_T_NONE,
#define IPC_RECORD(n, ...)
#define IPC_MSG(id, ...) IPC_T_##id,
#include "ipc_messages.def"
#include "ipc_undef.h"
	IPC_T_COUNT,
	IPC_T_ANY_ASK = 0xffff /* in a rule's `of`: any ASK */
};

/* ---- codec -------------------------------------------------------------- */

/* Decoding gets the frame's descriptor by address and takes it if a field
 * wants it; encoding stores the descriptor to send. */
#define IPC_RECORD(n, ...)                                                     \
	int ipc_##n##_encode(struct buf *, const struct ipc_##n *, int *fd)    \
	    FX_MUSTUSE;                                                        \
	int ipc_##n##_decode(struct buf *, struct ipc_##n *, int *fd)          \
	    FX_MUSTUSE;                                                        \
	void ipc_##n##_clear(struct ipc_##n *);
#define IPC_MSG(id, n, from, to, ph, kind, ...) IPC_RECORD(n, )
#include "ipc_messages.def"
#include "ipc_undef.h"

/* ---- rules -------------------------------------------------------------- */

enum ipc_msg_kind { IPC_EVENT, IPC_ASK, IPC_PART, IPC_ANSWER, IPC_CONTROL };
enum { IPC_PH_START = 1, IPC_PH_RUN = 2 };

struct ipc_rule {
	const char *name; /* "fetch" */
	uint32_t from;	  /* set of roles */
	uint32_t to;
	uint32_t phases;
	enum ipc_msg_kind kind;
	uint32_t of; /* PART, ANSWER: the ASK it belongs to */
};

/* NULL if there is no such type. */
const struct ipc_rule *ipc_rule(uint32_t type);
const char *ipc_type_name(uint32_t type);

/*
 * May `self` take this type from the channel to `who`, in this phase?  The
 * master knows who is at the other end, and whom it passes it on to is for the
 * row to say; a worker trusts the master to have looked, and asks only whether
 * the row may reach it.  FX_OK, FX_EUNKNOWN or FX_EDENIED.
 */
int ipc_permit(uint32_t type, enum ipc_role self, enum ipc_role who,
    uint32_t phase) FX_MUSTUSE;

/* ---- field descriptors --------------------------------------------------- */

enum ipc_field_kind {
	IPC_K_U64,
	IPC_K_I64,
	IPC_K_BOOL,
	IPC_K_STR,
	IPC_K_BYTES,
	IPC_K_FD,
	IPC_K_LIST,
};

struct ipc_field {
	const char *name;
	enum ipc_field_kind kind;
	size_t max;
	const struct ipc_field
	    *record; /* LIST: its fields, ended by a NULL name */
};

/* The fields of a message, ended by a NULL name. */
const struct ipc_field *ipc_fields(uint32_t type);

size_t ipc_nfields(uint32_t type);

/* Does the row have an FD field? */
bool ipc_may_have_fd(uint32_t type);

/* Check the fields of a frame against its row, building nothing.  The view is
 * left untouched.  FX_OK, or what the decoder would have said; *has_fd: the
 * FD field says that a descriptor travels with the frame. */
int ipc_walk(uint32_t type, const struct buf *body, bool *has_fd) FX_MUSTUSE;

/* Append "head=4f2c… marker=…" for a trace; bytes as lengths, long values
 * cut. */
void ipc_print(struct buf *out, uint32_t type, const struct buf *body);

/* A hash over the whole table: equal at both ends of a channel. */
uint64_t ipc_table_id(void);

#endif

/*
 * ipc_limits: every limit of the protocol between the processes, by name.
 */
#ifndef FX_IPC_LIMITS_H
#define FX_IPC_LIMITS_H

#define IPC_MAX_FRAME (320 * 1024) /* bytes of one frame after its length */
#define IPC_MAX_CHUNK (64 * 1024)  /* bytes of one chunk of bulk data */
#define IPC_PART_TARGET                                                        \
	(128 * 1024)		 /* a sender fills a part up to about here */
#define IPC_MAX_LIST 4096	 /* elements of a list of a stream's part */
#define IPC_MAX_QUEUE (4u << 20) /* bytes waiting to be sent on one channel */
#define IPC_CREDIT_FIRST 4	 /* parts an answer may send at once */
#define IPC_MAX_ASKS 1024 /* requests of one peer that wait for answers */
#define IPC_MAX_FDS 8	  /* descriptors received, not yet claimed */

#define IPC_MAX_NAME 256	   /* Kubernetes names are at most 253 */
#define IPC_MAX_TEXT 4096	   /* a text for people, a URL */
#define IPC_MAX_PATH 4096	   /* a path in a repository or on disk */
#define IPC_MAX_REF 1024	   /* a git ref or revision expression */
#define IPC_MAX_OID 64		   /* hex digits of an object id */
#define IPC_MAX_ID 768		   /* a printed resource id */
#define IPC_MAX_HOST 256	   /* a DNS name is at most 253 */
#define IPC_MAX_KEY 4096	   /* a public key in wire or text form */
#define IPC_MAX_SIGN 8192	   /* what is signed, and a signature */
#define IPC_MAX_SPEC 65536	   /* the JSON of an update request */
#define IPC_MAX_NOTE (256 * 1024)  /* the JSON of a git note */
#define IPC_MAX_EVENT (128 * 1024) /* the JSON of an event from a note */
/* of an event for a service: all of it in the first credit */
#define IPC_MAX_EVENT_CHUNK (256 * 1024)
#define IPC_MAX_TARGET (64 * 1024)  /* path and query of a request */
#define IPC_MAX_RESULT (192 * 1024) /* the JSON of a job's result */
#define IPC_MAX_SHOWN 100	    /* errors that people are shown at once */
#define IPC_MAX_LABELS 256 /* of one workload, and the next three too */
#define IPC_MAX_CONTAINERS 256
#define IPC_MAX_CONDITIONS 32
#define IPC_MAX_POLICIES 1024
#define IPC_MAX_SETTINGS 512 /* flags with all list items */
#define IPC_MAX_LOG_VALUE 8192
#define IPC_MAX_LOG_PAIRS 24
#define IPC_MAX_REFS 16	       /* refs of one push */
#define IPC_MAX_KINDS 4096     /* kinds whose scope is asked at once */
#define IPC_MAX_BUCKETS 32     /* of a histogram */
#define IPC_MAX_NAMED_PATHS 16 /* files that a kubeconfig names */
#define IPC_MAX_FORMER_KEYS 16 /* deploy keys that were replaced */

#define IPC_MAX_KEY_FILE (32 * 1024) /* RSA of 16384 bits takes 13 kB */

#endif

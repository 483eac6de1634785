/*
 * settings: struct config, made from config.def, its parser and its help.
 *
 * The same struct serves the master, which fills it from the command line, and
 * the workers, which get the fields sent to their role in CONFIG messages.
 */
#ifndef FX_SETTINGS_H
#define FX_SETTINGS_H

#include "base.h"
#include "buf.h"
#include "ipc.h"

struct str_list {
	char **v; /* owned strings */
	size_t n;
};

enum cfg_type {
	CFG_STRING,
	CFG_LIST,
	CFG_BOOL,
	CFG_INT,
	CFG_UINT,
	CFG_FLOAT,
	CFG_DURATION,
};

/* Member types: STRING char *; LIST struct str_list; BOOL bool; INT int64_t;
 * UINT uint64_t; FLOAT double; DURATION int64_t nanoseconds. */
#define CFG_C_STRING char *
#define CFG_C_LIST struct str_list
#define CFG_C_BOOL bool
#define CFG_C_INT int64_t
#define CFG_C_UINT uint64_t
#define CFG_C_FLOAT double
#define CFG_C_DURATION int64_t

enum cfg_field {
#define CFG(field, ...) CFG_F_##field,
#include "config.def"
	CFG_COUNT
};

struct config {
#define CFG(field, flag, ch, type, ...) CFG_C_##type field;
#include "config.def"
	bool set[CFG_COUNT]; /* given on the command line (or sent) */
};

enum cfg_effect { CFG_NOW, CFG_LATER, CFG_OLD };

struct cfg_row {
	const char *flag;
	char ch; /* short flag or 0 */
	enum cfg_type type;
	const char *def;
	uint32_t sent_to; /* set of roles */
	enum cfg_effect effect;
	const char *hint; /* OLD: what to use instead */
	const char *help;
	size_t offset; /* in struct config */
};

extern const struct cfg_row cfg_rows[CFG_COUNT];

void config_init(struct config *); /* all defaults */
void config_clear(struct config *);

/* Set one flag as the command line does (lists: CSV, first replaces).  The
 * error's text is upstream's "invalid argument …". */
int config_set(struct config *, enum cfg_field, const char *value,
    struct fx_err *) FX_MUSTUSE;

/* Set a value as CONFIG carries it (a list item is appended as it is). */
int
config_receive(struct config *, const char *name, const char *value) FX_MUSTUSE;

/*
 * Parse the command line by pflag's grammar.  FX_OK; FX_ECANCELLED: help was
 * asked for; else err has the message without "Error: ".  Notices about
 * deprecated flags go to `notice`, a line each.
 */
int config_parse(struct config *, int argc, char *const argv[],
    struct buf *notice, struct fx_err *) FX_MUSTUSE;

/* The usage text; the same rows as doc/flags.md and the man page. */
void config_usage(struct buf *);
void config_markdown(struct buf *);

/* Settings of a role, for CONFIG; strings borrowed from the config. */
size_t config_for_role(const struct config *, enum ipc_role,
    struct ipc_setting *out, size_t max, struct buf *scratch);

bool list_has(const struct str_list *, const char *);

#endif

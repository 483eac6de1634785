/*
 * options: the command line, read as the original client reads it.
 *
 * Tables made from commands.def, and the parser over them.  Flags and words
 * may be mixed, global flags may stand before the command's name, `--` ends
 * flags; long names are not abbreviated.  Nothing here prints or ends the
 * program.
 */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include "base.h"
#include "buf.h"
#include "error.h"

struct ctl;

/* "key=value" strings, each key once, in the order first given. */
struct ctl_map {
	char **v; /* owned strings */
	size_t n;
};

/* Words that were given one by one or as lists. */
struct ctl_list {
	char **v; /* owned strings */
	size_t n;
};

enum ctl_type {
	CTL_STRING,
	CTL_BOOL,
	CTL_COUNT,
	CTL_DURATION,
	CTL_INT,
	CTL_LIST,
	CTL_MAP
};

/* Member types; DURATION is in nanoseconds. */
#define CTL_C_STRING char *
#define CTL_C_BOOL bool
#define CTL_C_COUNT int64_t
#define CTL_C_DURATION int64_t
#define CTL_C_INT int64_t
#define CTL_C_LIST struct ctl_list
#define CTL_C_MAP struct ctl_map

/* clang-format off */
enum ctl_command_id {
#define CTL_COMMAND(id, ...) CTL_CMD_##id,
#include "commands.def"
	CTL_COMMANDS,
	CTL_ROOT = CTL_COMMANDS /* no command: fluxctl itself */
};

enum ctl_flag_id {
#define CTL_GLOBAL(field, ...) CTL_F_##field,
#define CTL_FLAG(id, field, ...) CTL_F_##id##_##field,
#define CTL_OLD_FLAG(...) CTL_FLAG(__VA_ARGS__)
#include "commands.def"
	CTL_FLAGS
};

/* Every flag's value: a global's under its field, a command's under
 * <command>_<field>. */
struct ctl_options {
#define CTL_GLOBAL(field, name, ch, type, ...) CTL_C_##type field;
#define CTL_FLAG(id, field, name, ch, type, ...) CTL_C_##type id##_##field;
#define CTL_OLD_FLAG(...) CTL_FLAG(__VA_ARGS__)
#include "commands.def"
	bool set[CTL_FLAGS]; /* given on the command line */
};
/* clang-format on */

struct ctl_flag {
	const char *name;
	char ch; /* letter, or 0 */
	enum ctl_type type;
	enum ctl_command_id command; /* CTL_ROOT: global */
	const char *value;	     /* what the manual calls it, or "" */
	const char *def;
	const char *env[2]; /* variables; the second wins */
	const char *help;
	bool old;      /* help is the hint what to use instead */
	size_t offset; /* of the value in struct ctl_options */
};

struct ctl_command {
	const char *name;
	const char *alias; /* or NULL */
	bool needs_daemon;
	bool takes_args;
	const char *use;
	const char *help;
	int (*run)(struct ctl *); /* FX_OK, or the error is filled in */
};

extern const struct ctl_flag ctl_flags[CTL_FLAGS];
extern const struct ctl_command ctl_commands[CTL_COMMANDS];

struct ctl_line {
	enum ctl_command_id command;
	struct ctl_options opts;
	const char **args; /* owned array of borrowed words */
	size_t nargs;
	struct buf notes; /* about old flags that were given, for people */
};

/*
 * Read the command line and the environment.  After a failure `command` says
 * how far it got, for the hint that follows the error.
 */
int ctl_parse(int argc, const char *const argv[], struct ctl_line *,
    struct ctl_error *) FX_MUSTUSE;
void ctl_line_clear(struct ctl_line *); /* wipes the token */

/* The row of a command by name or alias; CTL_ROOT if there is none. */
enum ctl_command_id ctl_command_find(const char *name);

/* true if the flag may be given with this command (CTL_ROOT: without one). */
bool ctl_flag_fits(const struct ctl_flag *, enum ctl_command_id);

/* The same, and people are told about it. */
bool ctl_flag_shown(const struct ctl_flag *, enum ctl_command_id);

/* The text of the command's own string flag of this name; NULL: it has none. */
const char *ctl_flag_text(const struct ctl_line *, const char *name);

/* Whether the command has a switch of this name, and it is on. */
bool ctl_flag_on(const struct ctl_line *, const char *name);

/* A flag that is switched by its name alone. */
bool ctl_flag_is_switch(const struct ctl_flag *);

/* What help calls a value: "string", "duration", …; "" for a flag without. */
const char *ctl_type_name(enum ctl_type);

#endif

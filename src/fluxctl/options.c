/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "options.h"

#include "cmd.h"
#include "quote.h"
#include "str.h"
#include "suggest.h"
#include "text.h"
#include "values.h"

/* clang-format off */
#define NEEDS_DAEMON true
#define NEEDS_NOTHING false
#define TAKES_ARGS true
#define TAKES_NO_ARGS false

const struct ctl_flag ctl_flags[CTL_FLAGS] = {
#define CTL_GLOBAL(f, name, ch, type, value, def, env1, env2, help)            \
	{ name, ch, CTL_##type, CTL_ROOT, value, def, { env1, env2 }, help,    \
	  false, offsetof(struct ctl_options, f) },
#define CTL_FLAG(id, f, name, ch, type, value, def, help)                      \
	{ name, ch, CTL_##type, CTL_CMD_##id, value, def, { NULL, NULL },      \
	  help, false, offsetof(struct ctl_options, id##_##f) },
#define CTL_OLD_FLAG(id, f, name, ch, type, def, hint)                         \
	{ name, ch, CTL_##type, CTL_CMD_##id, "", def, { NULL, NULL }, hint,   \
	  true, offsetof(struct ctl_options, id##_##f) },
#include "commands.def"
};

const struct ctl_command ctl_commands[CTL_COMMANDS] = {
#define CTL_COMMAND(id, name, alias, needs, takes, use, help)                  \
	{ name, alias, NEEDS_##needs, TAKES_##takes, use, help, ctl_cmd_##id },
#include "commands.def"
};
/* clang-format on */

enum ctl_command_id
ctl_command_find(const char *name)
{
	for (size_t i = 0; i < CTL_COMMANDS; i++) {
		const struct ctl_command *cmd = &ctl_commands[i];

		if (strcmp(cmd->name, name) == 0 ||
		    (cmd->alias != NULL && strcmp(cmd->alias, name) == 0))
			return (enum ctl_command_id)i;
	}
	return CTL_ROOT;
}

bool
ctl_flag_fits(const struct ctl_flag *flag, enum ctl_command_id command)
{
	return flag->command == CTL_ROOT || flag->command == command;
}

bool
ctl_flag_shown(const struct ctl_flag *flag, enum ctl_command_id command)
{
	return ctl_flag_fits(flag, command) && !flag->old;
}

bool
ctl_flag_is_switch(const struct ctl_flag *flag)
{
	return flag->type == CTL_BOOL || flag->type == CTL_COUNT;
}

const char *
ctl_type_name(enum ctl_type type)
{
	static const char *const names[] = {
		[CTL_STRING] = "string",
		[CTL_BOOL] = "",
		[CTL_COUNT] = "count",
		[CTL_DURATION] = "duration",
		[CTL_INT] = "int",
		[CTL_LIST] = "strings",
		[CTL_MAP] = "stringToString",
	};

	return names[type];
}

static const struct ctl_flag *
find_long(enum ctl_command_id command, const char *name, size_t n)
{
	for (size_t i = 0; i < CTL_FLAGS; i++)
		if (ctl_flag_fits(&ctl_flags[i], command) &&
		    strlen(ctl_flags[i].name) == n &&
		    memcmp(ctl_flags[i].name, name, n) == 0)
			return &ctl_flags[i];
	return NULL;
}

static const struct ctl_flag *
find_short(enum ctl_command_id command, char ch)
{
	for (size_t i = 0; i < CTL_FLAGS; i++)
		if (ctl_flags[i].ch == ch &&
		    ctl_flag_fits(&ctl_flags[i], command))
			return &ctl_flags[i];
	return NULL;
}

static void *
value_of(struct ctl_options *opts, const struct ctl_flag *flag)
{
	return (char *)opts + flag->offset;
}

/* Fills in *why, without saying which flag it was. */
static int
set_value(struct ctl_options *opts, const struct ctl_flag *flag, bool first,
    const char *text, struct ctl_error *why)
{
	void *value = value_of(opts, flag);

	switch (flag->type) {
	case CTL_BOOL:
		return value_bool(text, value, why);
	case CTL_COUNT:
		return value_count(text, value, why);
	case CTL_DURATION:
		return value_duration(text, value, why);
	case CTL_INT:
		return value_int(text, value, why);
	case CTL_LIST:
		return value_list(text, first, value, why);
	case CTL_MAP:
		return value_map(text, first, value, why);
	case CTL_STRING:
		break;
	}
	free(*(char **)value);
	*(char **)value = xstrdup(text);
	return FX_OK;
}

static int
set_flag(struct ctl_line *line, const struct ctl_flag *flag, const char *text,
    struct ctl_error *err)
{
	bool *set = &line->opts.set[flag - ctl_flags];
	auto_error struct ctl_error why = { 0 };
	auto_free char *quoted = NULL;
	int r;

	r = set_value(&line->opts, flag, !*set, text, &why);
	if (r == FX_OK) {
		*set = true;
		if (flag->old)
			(void)str_addf(&line->notes,
			    "Flag --%s has been deprecated, %s\n", flag->name,
			    flag->help);
		return FX_OK;
	}
	quoted = str_quoted(text);
	if (flag->ch != '\0')
		return ctl_fail(err, r,
		    "invalid argument %s for \"-%c, --%s\" flag: %s", quoted,
		    flag->ch, flag->name, why.text);
	return ctl_fail(err, r, "invalid argument %s for \"--%s\" flag: %s",
	    quoted, flag->name, why.text);
}

/* The words still to be read. */
struct words {
	const char *const *v;
	size_t n;
};

static const char *
next_word(struct words *w)
{
	w->n--;
	return *w->v++;
}

/* What a switch's name alone stands for. */
static const char *
switched_on(const struct ctl_flag *flag)
{
	return flag->type == CTL_COUNT ? VALUE_ONE_MORE : "true";
}

static int
parse_long(struct ctl_line *line, const char *word, struct words *rest,
    struct ctl_error *err)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t n = equals == NULL ? strlen(name) : (size_t)(equals - name);
	const struct ctl_flag *flag;

	if (*name == '-' || *name == '=')
		return ctl_fail(err, FX_ESYNTAX, "bad flag syntax: %s", word);
	flag = find_long(line->command, name, n);
	if (flag == NULL)
		return ctl_fail(err, FX_EUNKNOWN, "unknown flag: --%.*s",
		    (int)n, name);
	if (equals != NULL)
		return set_flag(line, flag, equals + 1, err);
	if (ctl_flag_is_switch(flag))
		return set_flag(line, flag, switched_on(flag), err);
	if (rest->n == 0)
		return ctl_fail(err, FX_ESHORT, "flag needs an argument: %s",
		    word);
	return set_flag(line, flag, next_word(rest), err);
}

/* The letters of one word: "-lv", "-uURL", "-u URL", "-u=URL". */
static int
parse_short(struct ctl_line *line, const char *letters, struct words *rest,
    struct ctl_error *err)
{
	auto_free char *quoted = NULL;
	const struct ctl_flag *flag;
	int r;

	for (const char *s = letters; *s != '\0'; s++) {
		flag = find_short(line->command, *s);
		if (flag == NULL) {
			quoted = ctl_quoted_byte((unsigned char)*s);
			return ctl_fail(err, FX_EUNKNOWN,
			    "unknown shorthand flag: %s in -%s", quoted, s);
		}
		if (s[1] == '=' && s[2] != '\0')
			return set_flag(line, flag, s + 2, err);
		if (ctl_flag_is_switch(flag)) {
			r = set_flag(line, flag, switched_on(flag), err);
			if (r != FX_OK)
				return r;
			continue;
		}
		if (s[1] != '\0')
			return set_flag(line, flag, s + 1, err);
		if (rest->n != 0)
			return set_flag(line, flag, next_word(rest), err);
		quoted = ctl_quoted_byte((unsigned char)*s);
		return ctl_fail(err, FX_ESHORT,
		    "flag needs an argument: %s in -%s", quoted, s);
	}
	return FX_OK;
}

static int
parse_words(struct ctl_line *line, struct words rest, struct ctl_error *err)
{
	const char *word;
	int r;

	while (rest.n > 0) {
		word = next_word(&rest);
		if (strcmp(word, "--") == 0)
			break;
		if (*word != '-' || word[1] == '\0') {
			line->args[line->nargs++] = word;
			continue;
		}
		if (word[1] == '-')
			r = parse_long(line, word, &rest, err);
		else
			r = parse_short(line, word + 1, &rest, err);
		if (r != FX_OK)
			return r;
	}
	while (rest.n > 0)
		line->args[line->nargs++] = next_word(&rest);
	return FX_OK;
}

/*
 * Whether the word is a flag whose value is the next word.  The original asks
 * this before it knows the command, and so without the flags -h and --help: an
 * unknown flag is taken to have a value.
 */
static bool
takes_next_word(const char *word, enum ctl_command_id command)
{
	const struct ctl_flag *flag;

	if (*word != '-' || strchr(word, '=') != NULL)
		return false;
	if (word[1] == '-')
		flag = find_long(command, word + 2, strlen(word + 2));
	else if (word[1] != '\0' && word[2] == '\0')
		flag = find_short(command, word[1]);
	else
		return false;
	return flag == NULL || flag == &ctl_flags[CTL_F_help] ||
	    !ctl_flag_is_switch(flag);
}

/* The position of the first word that is neither a flag nor its value; n if
 * there is none. */
static size_t
find_first_word(const char *const *words, size_t n, enum ctl_command_id command)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], "--") == 0)
			return n;
		if (takes_next_word(words[i], command))
			i++;
		else if (*words[i] != '-' && *words[i] != '\0')
			return i;
	}
	return n;
}

static void
set_defaults(struct ctl_options *opts)
{
	auto_error struct ctl_error why = { 0 };

	for (size_t i = 0; i < CTL_FLAGS; i++)
		if (set_value(opts, &ctl_flags[i], true, ctl_flags[i].def,
			&why) != FX_OK)
			fx_bug("default of --%s: %s", ctl_flags[i].name,
			    why.text);
}

/* A malformed value in the environment is passed over, as the original does. */
static void
set_from_environment(struct ctl_options *opts)
{
	for (size_t i = 0; i < CTL_FLAGS; i++) {
		for (size_t k = 0; k < 2 && !opts->set[i]; k++) {
			auto_error struct ctl_error why = { 0 };
			const char *name = ctl_flags[i].env[k];
			const char *text = name == NULL ? NULL : getenv(name);

			if (text == NULL || *text == '\0')
				continue;
			(void)set_value(opts, &ctl_flags[i], true, text, &why);
		}
	}
}

int
ctl_parse(int argc, const char *const argv[], struct ctl_line *line,
    struct ctl_error *err)
{
	struct words all = { argv + 1, argc > 0 ? (size_t)argc - 1 : 0 };
	auto_free const char **rest = NULL;
	size_t at;
	int r;

	*line = (struct ctl_line){
		.command = CTL_ROOT,
		.notes = BUF_INIT(SIZE_MAX),
	};
	set_defaults(&line->opts);
	line->args = xcalloc(all.n + 1, sizeof(*line->args));
	rest = xcalloc(all.n + 1, sizeof(*rest));

	at = find_first_word(all.v, all.n, CTL_ROOT);
	if (at < all.n) {
		line->command = ctl_command_find(all.v[at]);
		if (line->command == CTL_ROOT)
			return ctl_fail_unknown_command(err, all.v[at]);
	}
	for (size_t i = 0, n = 0; i < all.n; i++)
		if (i != at)
			rest[n++] = all.v[i];
	r = parse_words(line,
	    (struct words){ rest, at < all.n ? all.n - 1 : all.n }, err);
	if (r == FX_OK)
		set_from_environment(&line->opts);
	return r;
}

/* The value of the command's own flag of this name and type; NULL: none. */
static const void *
own_value(const struct ctl_line *line, const char *name, enum ctl_type type)
{
	for (size_t i = 0; i < CTL_FLAGS; i++)
		if (ctl_flags[i].command == line->command &&
		    ctl_flags[i].type == type &&
		    strcmp(ctl_flags[i].name, name) == 0)
			return (const char *)&line->opts + ctl_flags[i].offset;
	return NULL;
}

const char *
ctl_flag_text(const struct ctl_line *line, const char *name)
{
	char *const *value = own_value(line, name, CTL_STRING);

	return value == NULL ? NULL : *value;
}

bool
ctl_flag_on(const struct ctl_line *line, const char *name)
{
	const bool *value = own_value(line, name, CTL_BOOL);

	return value != NULL && *value;
}

void
ctl_line_clear(struct ctl_line *line)
{
	char *token = line->opts.token;

	if (token != NULL)
		explicit_bzero(token, strlen(token));
	for (size_t i = 0; i < CTL_FLAGS; i++) {
		void *value = value_of(&line->opts, &ctl_flags[i]);

		if (ctl_flags[i].type == CTL_STRING)
			free(*(char **)value);
		else if (ctl_flags[i].type == CTL_LIST)
			ctl_list_clear(value);
		else if (ctl_flags[i].type == CTL_MAP)
			ctl_map_clear(value);
	}
	free(line->args);
	buf_clear(&line->notes);
	*line = (struct ctl_line){ .command = CTL_ROOT };
}

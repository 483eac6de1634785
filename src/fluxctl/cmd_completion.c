/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "options.h"
#include "quote.h"
#include "str.h"

/*
 * The scripts are static: they know the commands and flags of this fluxctl and
 * ask nobody while somebody types.  @name@ in a script stands for what a
 * function makes of the tables.
 */

#define SHELLS "bash fish zsh"

/* clang-format off */
static const char bash_script[] =
	"# bash completion for fluxctl                    -*- shell-script -*-\n"
	"\n"
	"__start_fluxctl()\n"
	"{\n"
	"	local cur=${COMP_WORDS[COMP_CWORD]} command= flags= words= i\n"
	"\n"
	"	for ((i = 1; i < COMP_CWORD; i++)); do\n"
	"		case ${COMP_WORDS[i]} in\n"
	"		@valued@)\n"
	"			# skip the value, and the = before it\n"
	"			[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
	"			((i++))\n"
	"			;;\n"
	"		# bash splits words at these\n"
	"		= | :) ((i++)) ;;\n"
	"		-*) ;;\n"
	"		*)\n"
	"			command=${COMP_WORDS[i]}\n"
	"			break\n"
	"			;;\n"
	"		esac\n"
	"	done\n"
	"	# a flag's value is being typed: nothing of ours\n"
	"	((i > COMP_CWORD)) && return\n"
	"	case $command in\n"
	"@cases@"
	"	esac\n"
	"	[[ $cur == -* ]] && words=$flags\n"
	"	mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	"}\n"
	"\n"
	"complete -F __start_fluxctl fluxctl\n";

static const char zsh_script[] =
	"#compdef _fluxctl fluxctl\n"
	"# zsh completion for fluxctl                     -*- shell-script -*-\n"
	"\n"
	"_fluxctl()\n"
	"{\n"
	"	local curcontext=$curcontext context state line\n"
	"	local -a commands global\n"
	"	commands=(\n"
	"@described@"
	"	)\n"
	"	global=(\n"
	"@global@"
	"	)\n"
	"	_arguments -C $global '1: :->command' '*:: :->rest'\n"
	"	case $state in\n"
	"	command) _describe -t commands command commands ;;\n"
	"	rest)\n"
	"		case $words[1] in\n"
	"@cases@"
	"		esac\n"
	"		;;\n"
	"	esac\n"
	"}\n"
	"\n"
	"if [ \"$funcstack[1]\" = _fluxctl ]; then\n"
	"	_fluxctl \"$@\"\n"
	"else\n"
	"	compdef _fluxctl fluxctl\n"
	"fi\n";

/* __fish_seen_subcommand_from of fish 4.0 takes a word for every command that
 * ends in it. */
static const char fish_script[] =
	"# fish completion for fluxctl                    -*- shell-script -*-\n"
	"\n"
	"function __fluxctl_has\n"
	"	for word in (commandline -opc)[2..]\n"
	"		contains -- $word $argv; and return 0\n"
	"	end\n"
	"	return 1\n"
	"end\n"
	"\n"
	"function __fluxctl_needs_command\n"
	"	not __fluxctl_has @commands@\n"
	"end\n"
	"\n"
	"complete -c fluxctl -f\n"
	"@described@"
	"@flags@"
	"complete -c fluxctl -n '__fluxctl_has completion' -a '" SHELLS "'\n"
	"complete -c fluxctl -n '__fluxctl_has help' -a '@commands@'\n";
/* clang-format on */

/* Append text so that it can stand between single quotes. */
static void
add_quotable(struct buf *b, const char *text, const char *quote,
    const char *bracket)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			(void)str_add(b, quote);
		else if (*text == ']')
			(void)str_add(b, bracket);
		else
			(void)str_addc(b, *text);
	}
}

static void
add_commands(struct buf *b)
{
	for (size_t i = 0; i < CTL_COMMANDS; i++)
		(void)str_addf(b, "%s%s", i == 0 ? "" : " ",
		    ctl_commands[i].name);
}

/* The patterns of a bash `case` for every flag with a value. */
static void
bash_valued(struct buf *b)
{
	const char *between = "";

	for (size_t i = 0; i < CTL_FLAGS; i++) {
		if (ctl_flag_is_switch(&ctl_flags[i]))
			continue;
		(void)str_addf(b, "%s--%s", between, ctl_flags[i].name);
		if (ctl_flags[i].ch != '\0')
			(void)str_addf(b, " | -%c", ctl_flags[i].ch);
		between = " | ";
	}
}

static void
bash_case(struct buf *b, const char *name, enum ctl_command_id id)
{
	const char *between = "";

	(void)str_addf(b, "\t%s)\n\t\tflags='", name);
	for (size_t i = 0; i < CTL_FLAGS; i++) {
		if (!ctl_flag_shown(&ctl_flags[i], id))
			continue;
		(void)str_addf(b, "%s--%s", between, ctl_flags[i].name);
		between = " ";
	}
	(void)str_add(b, "'\n");
	if (id == CTL_ROOT || id == CTL_CMD_help) {
		(void)str_add(b, "\t\twords='");
		add_commands(b);
		(void)str_add(b, "'\n");
	} else if (id == CTL_CMD_completion) {
		(void)str_add(b, "\t\twords='" SHELLS "'\n");
	}
	(void)str_add(b, "\t\t;;\n");
}

/* The pattern of a command's name, or of both its names; owned. */
static char *
case_pattern(size_t id)
{
	const struct ctl_command *cmd = &ctl_commands[id];

	if (cmd->alias == NULL)
		return xstrdup(cmd->name);
	return xasprintf("%s | %s", cmd->name, cmd->alias);
}

static void
bash_cases(struct buf *b)
{
	bash_case(b, "''", CTL_ROOT);
	for (size_t i = 0; i < CTL_COMMANDS; i++) {
		auto_free char *pattern = case_pattern(i);

		bash_case(b, pattern, (enum ctl_command_id)i);
	}
}

static void
zsh_described(struct buf *b)
{
	for (size_t i = 0; i < CTL_COMMANDS; i++) {
		(void)str_addf(b, "\t\t'%s:", ctl_commands[i].name);
		add_quotable(b, ctl_commands[i].help, "'\\''", "]");
		(void)str_add(b, "'\n");
	}
}

/* '(-u --url)'{-u+,--url=}'[text]:string:' */
static void
zsh_flag(struct buf *b, const struct ctl_flag *flag, const char *lead)
{
	bool valued = !ctl_flag_is_switch(flag);

	(void)str_add(b, lead);
	if (flag->ch != '\0')
		(void)str_addf(b, "'(-%c --%s)'{-%c%s,--%s%s}'[", flag->ch,
		    flag->name, flag->ch, valued ? "+" : "", flag->name,
		    valued ? "=" : "");
	else
		(void)str_addf(b, "'--%s%s[", flag->name, valued ? "=" : "");
	add_quotable(b, flag->help, "'\\''", "\\]");
	(void)str_addc(b, ']');
	if (valued)
		(void)str_addf(b, ":%s:", flag->value);
	(void)str_add(b, "'");
}

static void
zsh_global(struct buf *b)
{
	for (size_t i = 0; i < CTL_FLAGS; i++) {
		if (ctl_flags[i].command != CTL_ROOT)
			continue;
		zsh_flag(b, &ctl_flags[i], "\t\t");
		(void)str_addc(b, '\n');
	}
}

static void
zsh_cases(struct buf *b)
{
	for (size_t id = 0; id < CTL_COMMANDS; id++) {
		auto_free char *pattern = case_pattern(id);

		(void)str_addf(b, "\t\t%s)\n\t\t\t_arguments $global", pattern);
		for (size_t i = 0; i < CTL_FLAGS; i++)
			if (ctl_flags[i].command == id && !ctl_flags[i].old)
				zsh_flag(b, &ctl_flags[i], " \\\n\t\t\t\t");
		if (id == CTL_CMD_completion)
			(void)str_add(b, " \\\n\t\t\t\t'1:shell:(" SHELLS ")'");
		if (id == CTL_CMD_help) {
			(void)str_add(b, " \\\n\t\t\t\t'1:command:(");
			add_commands(b);
			(void)str_add(b, ")'");
		}
		(void)str_add(b, "\n\t\t\t;;\n");
	}
}

static void
fish_described(struct buf *b)
{
	for (size_t i = 0; i < CTL_COMMANDS; i++) {
		(void)str_addf(b,
		    "complete -c fluxctl -n __fluxctl_needs_command -a %s -d '",
		    ctl_commands[i].name);
		add_quotable(b, ctl_commands[i].help, "\\'", "]");
		(void)str_add(b, "'\n");
	}
}

static void
fish_flags(struct buf *b)
{
	for (size_t i = 0; i < CTL_FLAGS; i++) {
		const struct ctl_flag *flag = &ctl_flags[i];

		if (flag->old)
			continue;
		(void)str_add(b, "complete -c fluxctl");
		if (flag->command != CTL_ROOT)
			(void)str_addf(b, " -n '__fluxctl_has %s'",
			    ctl_commands[flag->command].name);
		if (flag->ch != '\0')
			(void)str_addf(b, " -s %c", flag->ch);
		(void)str_addf(b, " -l %s%s -d '", flag->name,
		    ctl_flag_is_switch(flag) ? "" : " -x");
		add_quotable(b, flag->help, "\\'", "]");
		(void)str_add(b, "'\n");
	}
}

struct part {
	const char *name;
	void (*add)(struct buf *);
};

/* clang-format off */
static const struct script {
	const char *shell, *text;
	struct part parts[3];
} scripts[] = {
	{ "bash", bash_script,
	  { { "@valued@", bash_valued }, { "@cases@", bash_cases } } },
	{ "fish", fish_script,
	  { { "@described@", fish_described }, { "@flags@", fish_flags },
	    { "@commands@", add_commands } } },
	{ "zsh", zsh_script,
	  { { "@described@", zsh_described }, { "@global@", zsh_global },
	    { "@cases@", zsh_cases } } },
};
/* clang-format on */

/* The part whose name stands at s, or NULL. */
static const struct part *
find_part(const struct script *script, const char *s)
{
	for (size_t i = 0; i < nitems(script->parts); i++)
		if (script->parts[i].name != NULL &&
		    str_starts(s, script->parts[i].name))
			return &script->parts[i];
	return NULL;
}

static void
expand(const struct script *script, struct buf *b)
{
	const struct part *part;

	for (const char *s = script->text; *s != '\0';) {
		part = *s == '@' ? find_part(script, s) : NULL;
		if (part == NULL) {
			(void)str_addc(b, *s++);
			continue;
		}
		part->add(b);
		s += strlen(part->name);
	}
}

int
ctl_cmd_completion(struct ctl *c)
{
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);
	auto_free char *quoted = NULL;
	const struct script *script = NULL;

	if (c->line->nargs == 0)
		return ctl_fail(&c->error, FX_ESYNTAX,
		    "please specify a shell");
	if (c->line->nargs > 1)
		return ctl_fail(&c->error, FX_ESYNTAX,
		    "please specify one of the following shells: " SHELLS);
	for (size_t i = 0; i < nitems(scripts); i++)
		if (strcmp(scripts[i].shell, c->line->args[0]) == 0)
			script = &scripts[i];
	if (script == NULL) {
		quoted = str_quoted(c->line->args[0]);
		return ctl_fail(&c->error, FX_EUNKNOWN,
		    "unsupported shell type %s", quoted);
	}
	expand(script, &b);
	(void)fwrite(buf_head(&b), 1, buf_left(&b), c->out);
	return FX_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print_man fluxctl|fluxd <PAGE.in >PAGE: a manual page from its text and the
 * tables that the parser is made from.  `make doc` writes the pages, `make
 * check` compares.
 *
 * Lines of the text that begin with @ are for this program:
 *
 *	@print flags NAME...	the entries of these flags, in this order
 *	@print all		of all that are in effect and no command's own
 *	@print later		of those that are not in effect yet
 *	@print deprecated	of the old ones
 *	@print commands		the commands, each with its flags
 *	@print environment	the variables that stand for flags
 *	@--flag			what the entry of a flag says beyond its help
 *	@command		the same of a command
 *	@command --flag		of a flag, where it is this command's
 *	@			ends what an entry says: the page goes on
 *
 * A flag that is not printed once, and words about what is not there, are
 * errors.
 */
#include "base.h"

#include "buf.h"
#include "str.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define TEXT_MAX (1 << 20) /* bytes; the longer one has 30 KiB */
#define LINES_MAX 4096
#define WIDTH 76 /* of lines made from a table, without what roff needs */

enum effect { EFFECT_NOW, EFFECT_LATER, EFFECT_OLD };

/* clang-format off */
enum command_id {
	NO_COMMAND, /* the program itself */
#define CTL_COMMAND(id, ...) COMMAND_##id,
#include "commands.def"
};

static const struct command {
	const char *name, *alias, *use, *help;
} commands[] = {
	[NO_COMMAND] = { "", NULL, "", "" },
#define CTL_COMMAND(id, name, alias, needs, takes, use, help)                  \
	[COMMAND_##id] = { name, alias, use, help },
#include "commands.def"
};

struct row {
	const char *flag;
	const char *value; /* what it is called; "": a switch */
	const char *def;
	const char *env[2]; /* the second wins */
	const char *help;
	enum command_id command; /* whose flag it is */
	enum effect effect;
	const char *hint; /* what an old flag says in place of its help */
	char ch;          /* letter, or 0 */
};

#define VALUE_STRING "string"
#define VALUE_LIST "list"
#define VALUE_BOOL ""
#define VALUE_INT "int"
#define VALUE_UINT "uint"
#define VALUE_FLOAT "number"
#define VALUE_DURATION "duration"
#define NOW EFFECT_NOW, NULL
#define LATER EFFECT_LATER, NULL
#define OLD(hint) EFFECT_OLD, hint

static const struct row fluxd_rows[] = {
#define CFG(field, flag, ch, type, def, sent_to, effect, help)                 \
	{ flag, VALUE_##type, def, { NULL, NULL }, help, NO_COMMAND, effect, ch },
#include "config.def"
};

/* Without the old ones: they are nowhere shown. */
static const struct row fluxctl_rows[] = {
#define CTL_GLOBAL(field, flag, ch, type, value, def, env1, env2, help)        \
	{ flag, value, def, { env1, env2 }, help, NO_COMMAND, NOW, ch },
#define CTL_FLAG(id, field, flag, ch, type, value, def, help)                  \
	{ flag, value, def, { NULL, NULL }, help, COMMAND_##id, NOW, ch },
#include "commands.def"
};
/* clang-format on */

#define ROWS_MAX                                                               \
	(nitems(fluxd_rows) > nitems(fluxctl_rows) ? nitems(fluxd_rows)        \
						   : nitems(fluxctl_rows))

static const struct row *rows;
static size_t nrows;
static unsigned printed[ROWS_MAX]; /* how often each was */

static char *lines[LINES_MAX]; /* of the text */
static bool used[LINES_MAX];   /* a line with @ that was understood */
static size_t nlines;

static void fail(const char *, ...) FX_PRINTF(1, 2) FX_NORETURN;

static void
fail(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "print_man: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* ---- the text ----------------------------------------------------------- */

static void
read_text(void)
{
	static char text[TEXT_MAX + 1];
	size_t n = fread(text, 1, TEXT_MAX, stdin);

	if (n == TEXT_MAX || (n > 0 && text[n - 1] != '\n'))
		fail("the text is too long, or its last line has no end");
	for (char *s = text, *end; (end = strchr(s, '\n')) != NULL;
	     s = end + 1) {
		if (nlines == LINES_MAX)
			fail("more than %d lines", LINES_MAX);
		*end = '\0';
		lines[nlines++] = s;
	}
}

/* The lines below one with @, up to the next such line. */
static void
print_below(size_t at)
{
	for (size_t i = at + 1; i < nlines && *lines[i] != '@'; i++)
		puts(lines[i]);
}

/* What the text says about an entry; false: nothing. */
static bool
print_words(const char *command, const char *dashes, const char *flag)
{
	auto_free char *key = xasprintf("@%s%s%s%s", command,
	    *command != '\0' && *flag != '\0' ? " " : "", dashes, flag);

	for (size_t i = 0; i < nlines; i++) {
		if (strcmp(lines[i], key) != 0)
			continue;
		used[i] = true;
		print_below(i);
		return true;
	}
	return false;
}

/* ---- entries ------------------------------------------------------------ */

static void
print_word(const char *word, size_t n, bool starts_line)
{
	if (starts_line && (*word == '.' || *word == '\''))
		printf("\\&");
	for (size_t i = 0; i < n; i++) {
		/* a dash that is no hyphen */
		if (word[i] == '-' &&
		    (i == 0 || !isalnum((unsigned char)word[i - 1])))
			printf("\\-");
		else if (word[i] == '\\')
			printf("\\e");
		else
			putchar(word[i]);
	}
}

/* A table's text as a sentence. */
static void
print_sentence(const char *help)
{
	auto_free char *text = xstrdup(help);
	size_t column = 0, n;

	*text = (char)toupper((unsigned char)*text);
	for (const char *s = text; *s != '\0'; s += n + strspn(s + n, " ")) {
		n = strcspn(s, " ");
		if (column != 0 && column + 1 + n > WIDTH) {
			putchar('\n');
			column = 0;
		}
		if (column != 0) {
			putchar(' ');
			column++;
		}
		print_word(s, n, column == 0);
		column += n;
	}
	puts(".");
}

static void
print_default(const struct row *row)
{
	bool off = strcmp(row->def, "false") == 0 || strcmp(row->def, "0") == 0;

	if (*row->def != '\0' && !(*row->value == '\0' && off))
		printf("Default:\n.Ql %s .\n", row->def);
}

static void
print_flag(const struct row *row)
{
	const char *command = commands[row->command].name;

	printed[row - rows]++;
	printf(".It Fl ");
	if (row->ch != '\0')
		printf("%c , ", row->ch);
	printf("-%s", row->flag);
	if (*row->value != '\0')
		printf(" Ns = Ns Ar %s", row->value);
	putchar('\n');
	print_sentence(row->hint != NULL ? row->hint : row->help);
	if (!print_words(command, "--", row->flag))
		(void)print_words("", "--", row->flag);
	print_default(row);
}

static int
compare_rows(const void *a, const void *b)
{
	const struct row *const *x = a, *const *y = b;

	return strcmp((*x)->flag, (*y)->flag);
}

/* The flags of a command, or of none, by name, between two lines. */
static void
print_flags(enum command_id command, enum effect effect, const char *before,
    const char *after)
{
	const struct row *list[ROWS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < nrows; i++)
		if (rows[i].command == command && rows[i].effect == effect)
			list[n++] = &rows[i];
	if (n == 0)
		return;
	qsort(list, n, sizeof(list[0]), compare_rows);
	printf("%s", before);
	for (size_t i = 0; i < n; i++)
		print_flag(list[i]);
	printf("%s", after);
}

/* "[command] SHELL": what may be left out, and what may not. */
static void
print_use(const char *use)
{
	for (size_t n; *use != '\0'; use += n + strspn(use + n, " ]")) {
		bool option = *use == '[';

		use += option;
		n = strcspn(use, " ]");
		printf(option ? " Oo Ar " : " Ar ");
		for (size_t i = 0; i < n; i++)
			putchar(tolower((unsigned char)use[i]));
		printf(option ? " Oc" : "");
	}
}

static void
print_command(enum command_id id)
{
	const struct command *command = &commands[id];

	printf(".It Cm %s", command->name);
	print_use(command->use);
	putchar('\n');
	print_sentence(command->help);
	(void)print_words(command->name, "", "");
	if (command->alias != NULL)
		printf(".Cm %s\nis an older name of it.\n", command->alias);
	print_flags(id, EFFECT_NOW, ".Bl -tag -width Ds\n", ".El\n");
}

/* ---- lists that the text asks for --------------------------------------- */

static const struct row *
find_row(const char *flag, size_t n)
{
	for (size_t i = 0; i < nrows; i++)
		if (rows[i].command == NO_COMMAND &&
		    strlen(rows[i].flag) == n &&
		    memcmp(rows[i].flag, flag, n) == 0)
			return &rows[i];
	fail("there is no flag --%.*s", (int)n, flag);
}

static void
print_named(const char *names)
{
	for (size_t n; *names != '\0'; names += n + strspn(names + n, " ")) {
		n = strcspn(names, " ");
		print_flag(find_row(names, n));
	}
}

static void
print_commands(void)
{
	for (size_t id = NO_COMMAND + 1; id < nitems(commands); id++)
		print_command((enum command_id)id);
}

static void
print_environment(void)
{
	for (size_t i = 0; i < nrows; i++) {
		const struct row *row = &rows[i];

		if (row->env[0] == NULL)
			continue;
		printf(".It Ev %s", row->env[0]);
		if (row->env[1] != NULL)
			printf(" , Ev %s", row->env[1]);
		printf("\n.Fl -%s%s\n", row->flag,
		    row->env[1] != NULL ? " ;\nof both, the second counts"
					: "");
	}
}

static void
print_list(const char *what)
{
	if (str_starts(what, "flags "))
		print_named(what + strlen("flags "));
	else if (strcmp(what, "all") == 0)
		print_flags(NO_COMMAND, EFFECT_NOW, "", "");
	else if (strcmp(what, "later") == 0)
		print_flags(NO_COMMAND, EFFECT_LATER, "", "");
	else if (strcmp(what, "deprecated") == 0)
		print_flags(NO_COMMAND, EFFECT_OLD, "", "");
	else if (strcmp(what, "commands") == 0)
		print_commands();
	else if (strcmp(what, "environment") == 0)
		print_environment();
	else
		fail("cannot print %s", what);
}

/* The text, with lists in the place of lines that ask for them, and without
 * what it says about entries. */
static void
print_page(void)
{
	bool shown = true;

	for (size_t i = 0; i < nlines; i++) {
		if (*lines[i] != '@') {
			if (shown)
				puts(lines[i]);
			continue;
		}
		shown = lines[i][1] == '\0' || str_starts(lines[i], "@print ");
		if (!shown)
			continue;
		used[i] = true;
		if (lines[i][1] != '\0')
			print_list(lines[i] + strlen("@print "));
	}
}

static void
check_page(void)
{
	for (size_t i = 0; i < nrows; i++)
		if (printed[i] != 1)
			fail("--%s is printed %u times", rows[i].flag,
			    printed[i]);
	for (size_t i = 0; i < nlines; i++)
		if (*lines[i] == '@' && !used[i])
			fail("line %zu: %s: there is no entry for it", i + 1,
			    lines[i]);
}

int
main(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], "fluxctl") == 0) {
		rows = fluxctl_rows;
		nrows = nitems(fluxctl_rows);
	} else if (argc == 2 && strcmp(argv[1], "fluxd") == 0) {
		rows = fluxd_rows;
		nrows = nitems(fluxd_rows);
	} else {
		return 2;
	}
	read_text();
	print_page();
	check_page();
	return 0;
}

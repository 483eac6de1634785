/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "settings.h"
#include "quote.h"
#include "str.h"

#include <errno.h>
#include <stdio.h>

#define NOW CFG_NOW, NULL
#define LATER CFG_LATER, NULL
#define OLD(hint) CFG_OLD, hint

const struct cfg_row cfg_rows[CFG_COUNT] = {
#define CFG(field, flag, ch, type, def, sent_to, effect, help)                 \
	[CFG_F_##field] = { flag, ch, CFG_##type, def, sent_to, effect, help,  \
		offsetof(struct config, field) },
#include "config.def"
};

static const char *const type_words[] = {
	[CFG_STRING] = "string",
	[CFG_LIST] = "strings",
	[CFG_BOOL] = "",
	[CFG_INT] = "int",
	[CFG_UINT] = "uint",
	[CFG_FLOAT] = "float",
	[CFG_DURATION] = "duration",
};

static void *
member(struct config *c, enum cfg_field f)
{
	return (char *)c + cfg_rows[f].offset;
}

/* ---- lists: one CSV record ------------------------------------------------
 */

static void
list_clear(struct str_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct str_list){ NULL, 0 };
}

static void
list_add(struct str_list *l, char *owned)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = owned;
}

bool
list_has(const struct str_list *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return true;
	return false;
}

/* One field of a CSV record by Go's encoding/csv; moves *p behind it. */
static int
csv_field(const char **p, const char *start, struct buf *out,
    struct fx_err *err)
{
	const char *s = *p;

	if (*s != '"') {
		for (; *s != '\0' && *s != ','; s++) {
			if (*s == '"')
				return fx_fail(err, FX_ESYNTAX,
				    "parse error on line 1, column %zu: bare "
				    "\" in non-quoted-field",
				    (size_t)(s - start) + 1);
			(void)str_addc(out, *s);
		}
		*p = s;
		return FX_OK;
	}
	for (s++; *s != '\0'; s++) {
		if (*s == '"' && s[1] == '"')
			s++;
		else if (*s == '"')
			break;
		(void)str_addc(out, *s);
	}
	if (*s != '"' || (s[1] != ',' && s[1] != '\0'))
		return fx_fail(err, FX_ESYNTAX,
		    "parse error on line 1, column %zu: extraneous or missing "
		    "\" in quoted-field",
		    (size_t)(s - start) + 1);
	*p = s + 1;
	return FX_OK;
}

static int
list_parse(struct str_list *l, const char *text, struct fx_err *err)
{
	const char *s = text;
	int r = FX_OK;

	if (*text == '\0')
		return FX_OK;
	for (;;) {
		auto_buf struct buf item = BUF_INIT(IPC_MAX_TEXT);

		r = csv_field(&s, text, &item, err);
		if (r != FX_OK)
			return r;
		list_add(l, str_take(&item));
		if (*s != ',')
			return FX_OK;
		s++;
	}
}

/* ---- values ---------------------------------------------------------------
 */

static int
number_error(int r, const char *function, const char *value, struct fx_err *err)
{
	auto_free char *quoted = str_quoted(value);

	return fx_fail(err, r, "strconv.%s: parsing %s: %s", function, quoted,
	    r == FX_ELIMIT ? "value out of range" : "invalid syntax");
}

static int
parse_float(const char *value, double *out)
{
	char *end;

	errno = 0;
	*out = strtod(value, &end);
	if (*value == '\0' || *end != '\0')
		return FX_ESYNTAX;
	return errno == ERANGE ? FX_ELIMIT : FX_OK;
}

/* The reason only; config_set puts the flag in front. */
static int
set_value(struct config *c, enum cfg_field f, const char *value,
    struct fx_err *err)
{
	void *m = member(c, f);
	int r = FX_OK;

	switch (cfg_rows[f].type) {
	case CFG_STRING:
		free(*(char **)m);
		*(char **)m = xstrdup(value);
		return FX_OK;
	case CFG_LIST:
		if (!c->set[f])
			list_clear(m);
		return list_parse(m, value, err);
	case CFG_BOOL:
		r = fx_parse_bool(value, m);
		return r == FX_OK ? r
				  : number_error(r, "ParseBool", value, err);
	case CFG_INT:
		r = fx_parse_i64(value, INT64_MIN, INT64_MAX, m);
		return r == FX_OK ? r : number_error(r, "ParseInt", value, err);
	case CFG_UINT:
		r = fx_parse_u64(value, 0, UINT64_MAX, m);
		return r == FX_OK ? r
				  : number_error(r, "ParseUint", value, err);
	case CFG_FLOAT:
		r = parse_float(value, m);
		return r == FX_OK ? r
				  : number_error(r, "ParseFloat", value, err);
	case CFG_DURATION:
		return fx_parse_duration(value, m, err);
	}
	return FX_EUNKNOWN;
}

/* "-l, --listen" or "--git-url", as errors name a flag. */
static void
flag_name(char *out, size_t n, const struct cfg_row *row)
{
	if (row->ch != 0)
		snprintf(out, n, "-%c, --%s", row->ch, row->flag);
	else
		snprintf(out, n, "--%s", row->flag);
}

int
config_set(struct config *c, enum cfg_field f, const char *value,
    struct fx_err *err)
{
	auto_free char *quoted = NULL;
	char name[IPC_MAX_NAME];
	int r = set_value(c, f, value, err);

	if (r == FX_OK) {
		c->set[f] = true;
		return FX_OK;
	}
	quoted = str_quoted(value);
	flag_name(name, sizeof(name), &cfg_rows[f]);
	return fx_wrap(err, "invalid argument %s for \"%s\" flag", quoted,
	    name);
}

void
config_init(struct config *c)
{
	struct fx_err err = { 0 };

	memset(c, 0, sizeof(*c));
	for (int f = 0; f < CFG_COUNT; f++) {
		const char *def = cfg_rows[f].def;

		if (*def == '\0' && cfg_rows[f].type != CFG_STRING)
			continue;
		if (set_value(c, (enum cfg_field)f, def, &err) != FX_OK)
			fx_bug("default of --%s: %s", cfg_rows[f].flag,
			    err.text);
	}
}

void
config_clear(struct config *c)
{
	for (int f = 0; f < CFG_COUNT; f++) {
		void *m = member(c, (enum cfg_field)f);

		if (cfg_rows[f].type == CFG_STRING)
			free(*(char **)m);
		else if (cfg_rows[f].type == CFG_LIST)
			list_clear(m);
	}
	memset(c, 0, sizeof(*c));
}

/* ---- to and from a worker -------------------------------------------------
 */

static int
find_flag(const char *name, size_t n, enum cfg_field *out)
{
	for (int f = 0; f < CFG_COUNT; f++) {
		if (strlen(cfg_rows[f].flag) == n &&
		    memcmp(cfg_rows[f].flag, name, n) == 0) {
			*out = (enum cfg_field)f;
			return FX_OK;
		}
	}
	return FX_EUNKNOWN;
}

int
config_receive(struct config *c, const char *name, const char *value)
{
	enum cfg_field f;
	int r = find_flag(name, strlen(name), &f);

	if (r != FX_OK)
		return r;
	if (cfg_rows[f].type == CFG_LIST) {
		if (!c->set[f])
			list_clear(member(c, f));
		list_add(member(c, f), xstrdup(value));
	} else {
		r = set_value(c, f, value, NULL);
	}
	c->set[f] = true;
	return r;
}

static void
add_setting(struct ipc_setting *out, size_t max, size_t *n, const char *name,
    const char *value)
{
	if (*n == max)
		fx_bug("more than IPC_MAX_SETTINGS settings");
	out[(*n)++] = (struct ipc_setting){ (char *)(uintptr_t)name,
		(char *)(uintptr_t)value };
}

/* A copy of the text in the scratch buffer. */
static const char *
keep(struct buf *scratch, const char *text)
{
	size_t n = strlen(text) + 1;
	uint8_t *to;

	/* all of it at once, so that it never moves */
	if (scratch->cap < scratch->max &&
	    buf_reserve(scratch, scratch->max) == NULL)
		fx_bug("settings scratch was used before");
	to = buf_reserve(scratch, n);
	if (to == NULL)
		fx_bug("settings scratch is full");
	memcpy(to, text, n);
	buf_commit(scratch, n);
	return (const char *)to;
}

size_t
config_for_role(const struct config *c, enum ipc_role role,
    struct ipc_setting *out, size_t max, struct buf *scratch)
{
	size_t n = 0;

	for (int f = 0; f < CFG_COUNT; f++) {
		const struct cfg_row *row = &cfg_rows[f];
		const void *m = (const char *)c + row->offset;
		char number[64] = "";

		if ((row->sent_to & IPC_BIT(role)) == 0)
			continue;
		switch (row->type) {
		case CFG_STRING:
			add_setting(out, max, &n, row->flag, *(char *const *)m);
			continue;
		case CFG_LIST:
			for (size_t i = 0; i < ((const struct str_list *)m)->n;
			     i++)
				add_setting(out, max, &n, row->flag,
				    ((const struct str_list *)m)->v[i]);
			continue;
		case CFG_BOOL:
			snprintf(number, sizeof(number), "%s",
			    *(const bool *)m ? "true" : "false");
			break;
		case CFG_INT:
			snprintf(number, sizeof(number), "%lld",
			    (long long)*(const int64_t *)m);
			break;
		case CFG_UINT:
			snprintf(number, sizeof(number), "%llu",
			    (unsigned long long)*(const uint64_t *)m);
			break;
		case CFG_FLOAT:
			snprintf(number, sizeof(number), "%.17g",
			    *(const double *)m);
			break;
		case CFG_DURATION:
			snprintf(number, sizeof(number), "%lldns",
			    (long long)*(const int64_t *)m);
			break;
		}
		add_setting(out, max, &n, row->flag, keep(scratch, number));
	}
	return n;
}

/* ---- the command line: pflag's grammar ------------------------------------
 */

struct cmdline {
	struct config *c;
	int argc;
	char *const *argv;
	int i; /* argument being read */
	struct buf *notice;
	struct fx_err *err;
};

static int
set_flag(struct cmdline *cl, enum cfg_field f, const char *value)
{
	int r = config_set(cl->c, f, value, cl->err);

	if (r == FX_OK && cfg_rows[f].effect == CFG_OLD)
		(void)str_addf(cl->notice,
		    "Flag --%s has been deprecated, %s\n", cfg_rows[f].flag,
		    cfg_rows[f].hint);
	return r;
}

/* --name, --name=value, --name value */
static int
long_flag(struct cmdline *cl, const char *arg)
{
	const char *name = arg + 2, *eq = strchr(name, '=');
	size_t n = eq == NULL ? strlen(name) : (size_t)(eq - name);
	enum cfg_field f;

	if (n == 0 || *name == '-')
		return fx_fail(cl->err, FX_ESYNTAX, "bad flag syntax: %s", arg);
	if (n == 4 && memcmp(name, "help", 4) == 0)
		return FX_ECANCELLED;
	if (find_flag(name, n, &f) != FX_OK)
		return fx_fail(cl->err, FX_EUNKNOWN, "unknown flag: --%.*s",
		    (int)n, name);
	if (eq != NULL)
		return set_flag(cl, f, eq + 1);
	if (cfg_rows[f].type == CFG_BOOL)
		return set_flag(cl, f, "true");
	if (cl->i + 1 >= cl->argc)
		return fx_fail(cl->err, FX_ESYNTAX,
		    "flag needs an argument: %s", arg);
	return set_flag(cl, f, cl->argv[++cl->i]);
}

/* -l value, -lvalue, -l=value, and -h anywhere among the letters */
static int
short_flags(struct cmdline *cl, const char *arg)
{
	const char *s = arg + 1;
	int f = 0;

	if (*s == 'h')
		return FX_ECANCELLED;
	while (f < CFG_COUNT && cfg_rows[f].ch != *s)
		f++;
	if (f == CFG_COUNT)
		return fx_fail(cl->err, FX_EUNKNOWN,
		    "unknown shorthand flag: '%c' in %s", *s, arg);
	/* "-l=" alone keeps the sign: the parser's own quirk */
	if (s[1] == '=' && s[2] != '\0')
		return set_flag(cl, (enum cfg_field)f, s + 2);
	if (s[1] != '\0')
		return set_flag(cl, (enum cfg_field)f, s + 1);
	if (cl->i + 1 >= cl->argc)
		return fx_fail(cl->err, FX_ESYNTAX,
		    "flag needs an argument: '%c' in %s", *s, arg);
	return set_flag(cl, (enum cfg_field)f, cl->argv[++cl->i]);
}

int
config_parse(struct config *c, int argc, char *const argv[], struct buf *notice,
    struct fx_err *err)
{
	struct cmdline cl = { c, argc, argv, 1, notice, err };
	int r = FX_OK;

	for (; r == FX_OK && cl.i < argc; cl.i++) {
		const char *arg = argv[cl.i];

		if (strcmp(arg, "--") == 0)
			break;
		if (arg[0] != '-' || arg[1] == '\0')
			continue; /* positional arguments are ignored */
		r = arg[1] == '-' ? long_flag(&cl, arg) : short_flags(&cl, arg);
	}
	return r;
}

/* ---- help and documents ---------------------------------------------------
 */

/* " (default …)" or nothing when the default is the zero value. */
static void
add_default(struct buf *b, const struct cfg_row *row)
{
	int64_t ns;

	if (*row->def == '\0' || strcmp(row->def, "false") == 0 ||
	    strcmp(row->def, "0") == 0 || strcmp(row->def, "0s") == 0)
		return;
	if (row->type == CFG_STRING) {
		(void)str_addf(b, " (default \"%s\")", row->def);
	} else if (row->type == CFG_LIST) {
		(void)str_addf(b, " (default [%s])", row->def);
	} else if (row->type == CFG_DURATION &&
	    fx_parse_duration(row->def, &ns, NULL) == FX_OK) {
		(void)str_add(b, " (default ");
		str_add_duration(b, ns);
		(void)str_addc(b, ')');
	} else {
		(void)str_addf(b, " (default %s)", row->def);
	}
}

#define USAGE_COLUMN 46 /* where the help texts begin */

void
config_usage(struct buf *b)
{
	char left[IPC_MAX_NAME];

	(void)str_add(b,
	    "DESCRIPTION\n  fluxd is the agent of flux.\n\nFLAGS\n");
	for (int f = 0; f < CFG_COUNT; f++) {
		const struct cfg_row *row = &cfg_rows[f];

		if (row->effect == CFG_OLD)
			continue;
		if (row->ch != 0)
			snprintf(left, sizeof(left), "  -%c, --%s %s", row->ch,
			    row->flag, type_words[row->type]);
		else
			snprintf(left, sizeof(left), "      --%s %s", row->flag,
			    type_words[row->type]);
		(void)str_addf(b, "%-*s %s", USAGE_COLUMN, left, row->help);
		if (row->effect == CFG_LATER)
			(void)str_add(b, " (not yet in effect)");
		add_default(b, row);
		(void)str_addc(b, '\n');
	}
}

void
config_markdown(struct buf *b)
{
	(void)str_add(b,
	    "# Flags of fluxd\n\nPrinted from the table that the parser "
	    "uses; `fluxd --help` shows the same.\n\n"
	    "| flag | type | default | meaning |\n|---|---|---|---|\n");
	for (int f = 0; f < CFG_COUNT; f++) {
		const struct cfg_row *row = &cfg_rows[f];

		(void)str_addf(b, "| `--%s`", row->flag);
		if (row->ch != 0)
			(void)str_addf(b, ", `-%c`", row->ch);
		(void)str_addf(b, " | %s | ",
		    row->type == CFG_BOOL ? "bool" : type_words[row->type]);
		if (*row->def != '\0')
			(void)str_addf(b, "`%s`", row->def);
		(void)str_addf(b, " | %s", row->help);
		if (row->effect == CFG_LATER)
			(void)str_add(b, "; accepted, not yet in effect");
		if (row->effect == CFG_OLD)
			(void)str_addf(b, "; deprecated: %s", row->hint);
		(void)str_add(b, " |\n");
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "namespace.h"

#include "str.h"
#include "yread.h"

#include <errno.h>
#include <stdio.h>

#define FILE_MAX (1u << 20) /* bytes of a kubeconfig */
#define DEFAULT_NAMESPACE "default"

/* What has been found so far; the first file that says something wins. */
struct search {
	char *context; /* owned; empty: not known yet */
	char *ns;      /* owned; NULL: the context was not found yet */
};

/* Looks at one kubeconfig. */
typedef void visit(struct search *, const struct node *config);

static bool
read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	char chunk[4096];
	bool ok = f != NULL;
	size_t n;

	if (f == NULL)
		return errno == ENOENT; /* a file that is missing is empty */
	while (ok && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		ok = buf_put(out, chunk, n) == FX_OK;
	ok = ok && ferror(f) == 0;
	(void)fclose(f);
	return ok;
}

static char *
copy_text(const struct node *n)
{
	return node_is(n, NODE_STR) ? xstrndup(n->s, n->n) : xstrdup("");
}

static void
find_current(struct search *s, const struct node *config)
{
	if (*s->context != '\0')
		return;
	free(s->context);
	s->context = copy_text(node_get(config, "current-context"));
}

static void
find_namespace(struct search *s, const struct node *config)
{
	static const char *const keys[] = { "context", "namespace", NULL };
	const struct node *list = node_get(config, "contexts");

	if (s->ns != NULL || !node_is(list, NODE_SEQ))
		return;
	for (uint32_t i = 0; i < list->n; i++) {
		if (!node_is_str(node_get(list->items[i], "name"), s->context))
			continue;
		free(s->ns); /* of equal names the last one counts */
		s->ns = copy_text(node_path(list->items[i], keys));
	}
}

/* false: the file is there and cannot be read. */
static bool
visit_file(struct search *s, visit *look, const char *path)
{
	auto_buf struct buf text = BUF_INIT(FILE_MAX);
	struct fx_err ignored = { 0 };
	struct node *root = NULL;
	struct yread *y;
	bool ok;

	if (!read_file(path, &text))
		return false;
	y = yread_new(buf_head(&text), buf_left(&text));
	ok = yread_next(y, &root, &ignored) == FX_OK;
	if (ok && root != NULL)
		look(s, root);
	yread_free(&y);
	return ok;
}

static bool
visit_all(struct search *s, visit *look)
{
	const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
	auto_free char *path = NULL;
	size_t n;

	if (list == NULL || *list == '\0') {
		path = xasprintf("%s/.kube/config", home == NULL ? "" : home);
		return visit_file(s, look, path);
	}
	for (; *list != '\0'; list += n + (list[n] == ':')) {
		n = strcspn(list, ":");
		free(path);
		path = xstrndup(list, n);
		if (n != 0 && !visit_file(s, look, path))
			return false;
	}
	return true;
}

char *
ctl_namespace(const char *given, const char *context)
{
	struct search s = { .context = xstrdup(context) };

	if (*given == '\0' &&
	    (!visit_all(&s, find_current) || !visit_all(&s, find_namespace))) {
		free(s.ns);
		s.ns = NULL;
	}
	free(s.context);
	if (*given != '\0')
		return xstrdup(given);
	if (s.ns != NULL && *s.ns != '\0')
		return s.ns;
	free(s.ns);
	return xstrdup(DEFAULT_NAMESPACE);
}

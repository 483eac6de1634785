/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "read_bed.h"

#include "str.h"

#include <stdio.h>

#define IDS_MAX 16
#define EXPORT_MAX (16u << 20)

static int
take_workloads(struct read_answer *a, struct ipc_frame *f)
{
	struct ipc_workloads_part m;
	int r = ipc_workloads_part_decode(&f->body, &m, &f->fd);

	if (r != FX_OK)
		return r;
	a->v = xreallocarray(a->v, a->n + m.workloads_len + 1, sizeof(*a->v));
	for (size_t i = 0; i < m.workloads_len; i++) {
		a->v[a->n++] = m.workloads[i];
		m.workloads[i] = (struct ipc_workload){ 0 };
	}
	ipc_workloads_part_clear(&m);
	return FX_OK;
}

static int
take_yaml(struct read_answer *a, struct ipc_frame *f)
{
	struct ipc_export_part m;
	int r = ipc_export_part_decode(&f->body, &m, &f->fd);

	if (r != FX_OK)
		return r;
	r = buf_put(&a->yaml, m.yaml.p, m.yaml.n);
	ipc_export_part_clear(&m);
	return r;
}

static int
on_answer(void *arg, struct ipc_frame *f)
{
	struct read_answer *a = arg;

	if (f != NULL && ipc_rule(f->type)->kind == IPC_PART) {
		a->parts++;
		return f->type == IPC_T_WORKLOADS_PART ? take_workloads(a, f)
						       : take_yaml(a, f);
	}
	a->done = 1;
	(void)ipc_take_failed(f, &a->err);
	return FX_OK;
}

void
read_ask(struct bed *b, struct read_answer *a, const char *ns,
    const char *const *ids)
{
	struct ipc_text v[IDS_MAX];
	struct ipc_workloads m = { .ns = (char *)(uintptr_t)ns, .ids = v };

	for (; ids != NULL && ids[m.ids_len] != NULL; m.ids_len++)
		v[m.ids_len].s = (char *)(uintptr_t)ids[m.ids_len];
	a->seq = ipc_ask_workloads(&b->peer, &m, on_answer, a);
	if (a->seq == 0)
		fx_bug("the question cannot be asked");
	if (a->stopped)
		ipc_find_ask(&b->peer, a->seq)->relayed = true;
}

static void
wait(struct bed *b, struct read_answer *a)
{
	if (!bed_wait(b, &a->done, 1, READ_WAIT_US))
		fx_fail(&a->err, FX_ETIMEOUT, "the worker does not answer");
}

void
read_list(struct bed *b, struct read_answer *a, const char *ns,
    const char *const *ids)
{
	*a = (struct read_answer){ 0 };
	read_ask(b, a, ns, ids);
	wait(b, a);
}

void
read_export(struct bed *b, struct read_answer *a)
{
	const struct ipc_export m = { 0 };

	*a = (struct read_answer){ 0 };
	buf_init(&a->yaml, EXPORT_MAX);
	(void)ipc_ask_export(&b->peer, &m, on_answer, a);
	wait(b, a);
}

void
read_clear(struct read_answer *a)
{
	for (size_t i = 0; i < a->n; i++)
		ipc_workload_clear(&a->v[i]);
	free(a->v);
	buf_clear(&a->yaml);
	*a = (struct read_answer){ 0 };
}

const struct ipc_workload *
read_find(const struct read_answer *a, const char *id)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i].id, id) == 0)
			return &a->v[i];
	return NULL;
}

const char *
read_id(const char *ns, const char *kind_name)
{
	static char text[16][512];
	static unsigned n;
	char *s = text[n++ % nitems(text)];

	snprintf(s, sizeof(text[0]), "%s:%s", ns, kind_name);
	return s;
}

const char *
read_state(const struct ipc_workload *w)
{
	static char text[256];

	if (w == NULL)
		return "absent";
	snprintf(text, sizeof(text), "%s %lld %lld %lld %lld %lld", w->status,
	    (long long)w->desired, (long long)w->updated, (long long)w->ready,
	    (long long)w->available, (long long)w->outdated);
	return text;
}

char *
read_pairs(const struct ipc_named *p, size_t n)
{
	struct buf out = BUF_INIT(65536);

	for (size_t i = 0; i < n; i++)
		(void)str_addf(&out, "%s%s=%s", i > 0 ? " " : "", p[i].name,
		    p[i].value);
	return str_take(&out);
}

bool
read_has(const struct read_answer *a, const char *text)
{
	return memmem(buf_head(&a->yaml), buf_left(&a->yaml), text,
		   strlen(text)) != NULL;
}

char *
read_objects(const struct read_answer *a, const char *path, const char *filter)
{
	FILE *f = fopen(path, "w");

	if (f == NULL ||
	    fwrite(buf_head(&a->yaml), 1, buf_left(&a->yaml), f) !=
		buf_left(&a->yaml) ||
	    fclose(f) != 0)
		fx_bug("cannot write %s", path);
	return bed_kubectl_get("create --dry-run=client --validate=false -o "
			       "json -f %s | jq -Sr '%s'",
	    path, filter);
}

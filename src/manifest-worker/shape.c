/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "shape.h"

#include "str.h"

#include <stdio.h>

enum shape_type { T_STRING, T_INT, T_ANY, T_STRUCT, T_SLICE, T_MAP };

struct shape_field {
	const char *key; /* NULL ends the list */
	const struct shape *shape;
};

struct shape {
	enum shape_type type;
	const char *go;			  /* the type's name in errors */
	const struct shape_field *fields; /* STRUCT; other keys are ignored */
	const struct shape *of;		  /* SLICE, MAP: of each value */
};

/* ---- upstream's types --------------------------------------------------- */

/* clang-format off */
#define FIELDS(...) .fields = (const struct shape_field[]){ __VA_ARGS__, { 0 } }

static const struct shape s_string = { T_STRING, .go = "string" };
static const struct shape s_int = { T_INT, .go = "int" };
static const struct shape s_any = { T_ANY, .go = "interface {}" };
static const struct shape s_string_map = { T_MAP, .go = "map[string]string",
	.of = &s_string };
static const struct shape s_any_map = { T_MAP,
	.go = "map[string]interface {}", .of = &s_any };
static const struct shape s_any_maps = { T_SLICE,
	.go = "[]map[string]interface {}", .of = &s_any_map };

static const struct shape s_header_meta = { T_STRUCT,
	.go = "struct { Namespace string \"yaml:\\\"namespace\\\"\"; "
	      "Name string \"yaml:\\\"name\\\"\"; "
	      "Annotations map[string]string "
	      "\"yaml:\\\"annotations,omitempty\\\"\" }",
	FIELDS({ "namespace", &s_string }, { "name", &s_string },
	    { "annotations", &s_string_map }) };
const struct shape shape_header = { T_STRUCT, .go = "resource.baseObject",
	FIELDS({ "apiVersion", &s_string }, { "kind", &s_string },
	    { "metadata", &s_header_meta }) };

const struct shape shape_list = { T_STRUCT, .go = "resource.rawList",
	FIELDS({ "items", &s_any_maps }) };

/* Upstream gave these no names for YAML, so Go's are used in lower case. */
static const struct shape s_pull_secret = { T_STRUCT,
	.go = "struct { Name string }", FIELDS({ "name", &s_string }) };
static const struct shape s_pull_secrets = { T_SLICE,
	.go = "[]struct { Name string }", .of = &s_pull_secret };
static const struct shape s_volume_secret = { T_STRUCT,
	.go = "struct { SecretName string }",
	FIELDS({ "secretname", &s_string }) };
static const struct shape s_volume = { T_STRUCT, .go = "resource.Volume",
	FIELDS({ "name", &s_string }, { "secret", &s_volume_secret }) };
static const struct shape s_volumes = { T_SLICE, .go = "[]resource.Volume",
	.of = &s_volume };

static const struct shape s_args = { T_SLICE, .go = "resource.Args",
	.of = &s_string };
static const struct shape s_port = { T_STRUCT,
	.go = "resource.ContainerPort",
	FIELDS({ "containerport", &s_int }, { "name", &s_string }) };
static const struct shape s_ports = { T_SLICE,
	.go = "[]resource.ContainerPort", .of = &s_port };
static const struct shape s_env_entry = { T_STRUCT,
	.go = "resource.EnvEntry",
	FIELDS({ "name", &s_string }, { "value", &s_string }) };
static const struct shape s_env = { T_SLICE, .go = "resource.Env",
	.of = &s_env_entry };
static const struct shape s_container = { T_STRUCT,
	.go = "resource.ContainerSpec",
	FIELDS({ "name", &s_string }, { "image", &s_string },
	    { "args", &s_args }, { "ports", &s_ports }, { "env", &s_env }) };
static const struct shape s_containers = { T_SLICE,
	.go = "[]resource.ContainerSpec", .of = &s_container };

static const struct shape s_pod_spec = { T_STRUCT, .go = "resource.PodSpec",
	FIELDS({ "imagepullsecrets", &s_pull_secrets },
	    { "volumes", &s_volumes }, { "containers", &s_containers },
	    { "initContainers", &s_containers }) };
static const struct shape s_pod_meta = { T_STRUCT,
	.go = "resource.ObjectMeta",
	FIELDS({ "labels", &s_string_map },
	    { "annotations", &s_string_map }) };
static const struct shape s_template = { T_STRUCT,
	.go = "resource.PodTemplate",
	FIELDS({ "metadata", &s_pod_meta }, { "spec", &s_pod_spec }) };

static const struct shape s_deployment_spec = { T_STRUCT,
	.go = "resource.DeploymentSpec",
	FIELDS({ "replicas", &s_int }, { "template", &s_template }) };
static const struct shape s_deployment = { T_STRUCT,
	.go = "resource.Deployment", FIELDS({ "spec", &s_deployment_spec }) };
static const struct shape s_stateful_spec = { T_STRUCT,
	.go = "resource.StatefulSetSpec",
	FIELDS({ "replicas", &s_int }, { "template", &s_template }) };
static const struct shape s_stateful = { T_STRUCT,
	.go = "resource.StatefulSet", FIELDS({ "spec", &s_stateful_spec }) };
static const struct shape s_daemon_spec = { T_STRUCT,
	.go = "resource.DaemonSetSpec", FIELDS({ "template", &s_template }) };
static const struct shape s_daemon = { T_STRUCT,
	.go = "resource.DaemonSet", FIELDS({ "spec", &s_daemon_spec }) };
static const struct shape s_job_spec = { T_STRUCT,
	.go = "struct { Template resource.PodTemplate }",
	FIELDS({ "template", &s_template }) };
static const struct shape s_job_template = { T_STRUCT,
	.go = "struct { Spec struct { Template resource.PodTemplate } }",
	FIELDS({ "spec", &s_job_spec }) };
static const struct shape s_cron_spec = { T_STRUCT,
	.go = "resource.CronJobSpec",
	FIELDS({ "jobTemplate", &s_job_template }) };
static const struct shape s_cron = { T_STRUCT, .go = "resource.CronJob",
	FIELDS({ "spec", &s_cron_spec }) };
/* clang-format on */

const struct shape *
shape_of_kind(const char *kind)
{
	static const struct {
		const char *kind;
		const struct shape *shape;
	} kinds[] = {
		{ "CronJob", &s_cron },
		{ "DaemonSet", &s_daemon },
		{ "Deployment", &s_deployment },
		{ "StatefulSet", &s_stateful },
	};

	for (size_t i = 0; i < nitems(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].shape;
	return NULL;
}

/* ---- checking ----------------------------------------------------------- */

#define VALUE_MAX 10 /* bytes of a value that is shown whole */
#define VALUE_CUT 7  /* bytes that are left of a longer one */

static const char *
tag_of(const struct node *n)
{
	switch (n->kind) {
	case NODE_SEQ:
		return "!!seq";
	case NODE_MAP:
		return "!!map";
	case NODE_BOOL:
		return "!!bool";
	case NODE_INT:
	case NODE_UINT:
		return "!!int";
	case NODE_FLOAT:
		return "!!float";
	case NODE_STR:
		return str_is_utf8(n->s, n->n) ? "!!str" : "!!binary";
	default:
		return "!!null";
	}
}

static void
misfit(const struct node *n, const struct shape *s, struct buf *errors)
{
	char tmp[NODE_TEXT_MAX], value[VALUE_MAX + 8] = "";
	const char *text;
	size_t len;

	if (n->kind != NODE_SEQ && n->kind != NODE_MAP) {
		text = node_text(n, tmp, &len);
		snprintf(value, sizeof(value),
		    len > VALUE_MAX ? " `%.*s...`" : " `%.*s`",
		    len > VALUE_MAX ? VALUE_CUT : (int)len, text);
	}
	/* the text of an error is bounded: what no longer fits is left out */
	(void)str_addf(errors, "\n  line %u: cannot unmarshal %s%s into %s",
	    n->line + 1, tag_of(n), value, s->go);
}

/* A whole number, or one that loses its fraction. */
static bool
fits_int(const struct node *n)
{
	return n->kind == NODE_INT ||
	    (n->kind == NODE_FLOAT && n->f <= (double)INT64_MAX);
}

static void check(const struct node *, const struct shape *, struct buf *);

static void
check_fields(const struct node *n, const struct shape *s, struct buf *errors)
{
	for (uint32_t i = 0; i < n->n; i++)
		for (const struct shape_field *f = s->fields; f->key != NULL;
		     f++)
			if (node_is_str(n->pairs[i].key, f->key))
				check(n->pairs[i].value, f->shape, errors);
}

static void
check(const struct node *n, const struct shape *s, struct buf *errors)
{
	bool fits;

	if (n->kind == NODE_NULL || s->type == T_ANY)
		return; /* null is the empty value of everything */
	switch (s->type) {
	case T_STRING:
		fits = n->kind != NODE_SEQ && n->kind != NODE_MAP;
		break;
	case T_INT:
		fits = fits_int(n);
		break;
	case T_SLICE:
		fits = n->kind == NODE_SEQ;
		break;
	default:
		fits = n->kind == NODE_MAP;
		break;
	}
	if (!fits)
		misfit(n, s, errors);
	else if (s->type == T_STRUCT)
		check_fields(n, s, errors);
	else if (s->type == T_SLICE)
		for (uint32_t i = 0; i < n->n; i++)
			check(n->items[i], s->of, errors);
	else if (s->type == T_MAP)
		for (uint32_t i = 0; i < n->n; i++)
			check(n->pairs[i].value, s->of, errors);
}

int
shape_check(const struct node *n, const struct shape *s, struct fx_err *err)
{
	auto_buf struct buf errors = BUF_INIT(FX_ERR_TEXT_MAX);

	check(n, s, &errors);
	if (buf_left(&errors) == 0)
		return FX_OK;
	return fx_fail(err, FX_ESYNTAX, "yaml: unmarshal errors:%.*s",
	    (int)buf_left(&errors), (const char *)buf_head(&errors));
}

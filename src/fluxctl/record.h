/*
 * record: the daemon's data as the original client holds it.
 *
 * A record is a table of an object's fields.  Reading an answer by it gives an
 * object that has exactly these, in this order and under these names, each of
 * its type: what the daemon left out has its zero value, what the original
 * omits when it is zero is not there, what nobody knows is gone.  Code that
 * shows it need not check.  Images' names and times are as the daemon wrote
 * them, with the tag beside the digest and in any zone; record_print makes of
 * all what the original prints.
 */
#ifndef CTL_RECORD_H
#define CTL_RECORD_H

#include "base.h"
#include "error.h"

#include <jansson.h>

enum record_type {
	RECORD_STRING,
	RECORD_BOOL,
	RECORD_INT,
	RECORD_ID,	   /* of a resource, or "" */
	RECORD_REF,	   /* an image's name, or left out: "" */
	RECORD_NAME,	   /* the same, or any other text */
	RECORD_TIME,	   /* RFC 3339; left out when it is zero */
	RECORD_STRINGS,	   /* list of strings, or null */
	RECORD_STRING_MAP, /* object of strings, by name, or null */
	RECORD_OBJECT,
	RECORD_LENIENT, /* object: a value of another type is a zero one */
	RECORD_IMAGE,	/* the same; all of it but "ID" if that is no image */
	RECORD_LIST,	/* of OBJECTs, or null */
	RECORD_IMAGES	/* the same of IMAGEs */
};

struct record_field {
	const char *name; /* NULL ends a table */
	enum record_type type;
	bool omit_empty;
	const struct record_field *fields; /* of OBJECT to IMAGES */
};

/* *out is owned: a list of objects, or null. */
int record_list(const json_t *answer, const struct record_field *element,
    json_t **out, struct ctl_error *) FX_MUSTUSE;

/* *out is owned; a null is an object of zero values. */
int record_object(const json_t *answer, const struct record_field *,
    json_t **out, struct ctl_error *) FX_MUSTUSE;

extern const struct record_field record_workload[];
extern const struct record_field record_images[]; /* of a workload */
extern const struct record_field record_result[]; /* of an update, for one */
extern const struct record_field record_update[]; /* of a container in it */

/* Bring what was read by these fields, or a list of such, into the form in
 * which it is printed as JSON. */
void record_print(json_t *, const struct record_field *);

/* An image's name as it is printed: with a digest without the tag.  Owned. */
char *record_image(const json_t *object, const char *name);

/* A text of what was read, "" if it was left out; borrowed. */
const char *record_text(const json_t *object, const char *name);

/* In the order of their "ID", which every element has; a null stays one. */
void record_sort_by_id(json_t *list);

#endif

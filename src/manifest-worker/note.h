/*
 * note: what a git note says about the commit it is on.
 *
 * The daemon leaves one on each commit of its own, with the job that made it,
 * what was asked for and what came of it.  Whoever can push can leave one as
 * well, so a note is read within bounds, what is not as it should be is no
 * note, and nothing is decided by one: it is told to people.
 */
#ifndef FX_NOTE_H
#define FX_NOTE_H

#include "base.h"

#define NOTE_MAX (256 * 1024) /* bytes of one note */
#define NOTE_MAX_JOB 64	      /* bytes of a job's id */
#define NOTE_TEXT_CUT 3500    /* bytes of an event's text, before escapes */
#define NOTE_TEXT_MAX 4096    /* and after them */
#define NOTE_EVENT_MAX (128 * 1024) /* bytes of an event as JSON */

enum note_type {
	NOTE_RELEASE, /* of images, or of containers */
	NOTE_AUTO,    /* an automated release */
	NOTE_POLICY,
	NOTE_OTHER,
};

/* A list of texts, sorted; each once. */
struct note_list {
	char **v; /* owned */
	size_t n;
};

struct note {
	char *job; /* owned; its id */
	enum note_type type;
	char *user;		    /* owned; who asked; may be empty */
	char *message;		    /* owned; may be empty */
	bool all;		    /* asked for all workloads */
	struct note_list images;    /* that were released */
	struct note_list workloads; /* that were changed */
	struct json_t *whole;	    /* owned; the note as it should be */
};

/* Before lock-down or with a seed that is not 0: the library would open a
 * device for one. */
void note_open(uint64_t seed);

/* FX_ESYNTAX, FX_ELIMIT: it is not to be read. */
int note_parse(const void *, size_t n, struct note *out,
    struct fx_err *) FX_MUSTUSE;
void note_clear(struct note *);

/* A note again, as clients of a job are shown it: JSON that they can read,
 * whatever it was that stood there. */
struct note_shown {
	char *spec;   /* owned */
	char *result; /* owned; may be empty */
};

/*
 * FX_EUNKNOWN: it is not that of the job; else as note_parse.  What would have
 * more bytes than there may be is empty.
 */
int note_show(const void *, size_t n, const char *job, size_t max_spec,
    size_t max_result, struct note_shown *out, struct fx_err *) FX_MUSTUSE;
void note_shown_clear(struct note_shown *);

/* The event of a release in upstream's words, safe to show; owned by the
 * caller. */
char *note_event_text(const struct note *);

/* The same event for a service; owned.  A result that makes it longer than
 * NOTE_EVENT_MAX is left out, and ids beyond a bound of theirs: *cut.  NULL: it
 * is longer without. */
char *note_event_json(const struct note *, const char *commit,
    int64_t started_us, int64_t ended_us, bool *cut);

#endif

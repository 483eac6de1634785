# The domain of fluxd-manifest, without a process around it.
noinst_LIBRARIES += src/manifest-worker/libmanifest.a
src_manifest_worker_libmanifest_a_SOURCES = \
	src/manifest-worker/anchors.c \
	src/manifest-worker/anchors.h \
	src/manifest-worker/arena.c \
	src/manifest-worker/arena.h \
	src/manifest-worker/bodies.c \
	src/manifest-worker/bodies.h \
	src/manifest-worker/canon.c \
	src/manifest-worker/canon.h \
	src/manifest-worker/canon_text.c \
	src/manifest-worker/canon_text.h \
	src/manifest-worker/charts.c \
	src/manifest-worker/charts.h \
	src/manifest-worker/follow.c \
	src/manifest-worker/follow.h \
	src/manifest-worker/gotext.c \
	src/manifest-worker/gotext.h \
	src/manifest-worker/known.c \
	src/manifest-worker/known.h \
	src/manifest-worker/names.c \
	src/manifest-worker/names.h \
	src/manifest-worker/node.c \
	src/manifest-worker/node.h \
	src/manifest-worker/note.c \
	src/manifest-worker/note.h \
	src/manifest-worker/note_event.c \
	src/manifest-worker/note_shape.c \
	src/manifest-worker/note_shape.h \
	src/manifest-worker/policies.c \
	src/manifest-worker/policies.h \
	src/manifest-worker/resource.c \
	src/manifest-worker/resource.h \
	src/manifest-worker/scalar.c \
	src/manifest-worker/scalar.h \
	src/manifest-worker/set.c \
	src/manifest-worker/set.h \
	src/manifest-worker/set_delta.c \
	src/manifest-worker/set_load.h \
	src/manifest-worker/set_place.c \
	src/manifest-worker/shape.c \
	src/manifest-worker/shape.h \
	src/manifest-worker/tojson.c \
	src/manifest-worker/tojson.h \
	src/manifest-worker/tree.c \
	src/manifest-worker/tree.h \
	src/manifest-worker/walk.c \
	src/manifest-worker/yread.c \
	src/manifest-worker/yread.h
src_manifest_worker_libmanifest_a_CPPFLAGS = $(AM_CPPFLAGS) $(YAML_CFLAGS) \
	$(JANSSON_CFLAGS) $(LIBMD_CFLAGS)

pkglibexec_PROGRAMS += fluxd-manifest
# The handlers over a channel; tests link them with a channel of their own.
MANIFEST_WORKER_SOURCES = \
	src/manifest-worker/ask.c \
	src/manifest-worker/handlers.c \
	src/manifest-worker/handlers.h \
	src/manifest-worker/on_bodies.c \
	src/manifest-worker/on_declared.c \
	src/manifest-worker/on_events.c \
	src/manifest-worker/on_job_note.c \
	src/manifest-worker/on_load.c \
	src/manifest-worker/on_set.c \
	src/manifest-worker/sandbox.c
fluxd_manifest_SOURCES = $(MANIFEST_WORKER_SOURCES) \
	src/manifest-worker/main.c
fluxd_manifest_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
fluxd_manifest_LDADD = src/manifest-worker/libmanifest.a \
	src/common/libworker.a src/common/libsandbox.a \
	src/common/libproc.a src/common/libipc.a src/common/libmodel.a \
	src/common/libbase.a $(MSGPACK_LIBS) $(SECCOMP_LIBS) $(YAML_LIBS) \
	$(JANSSON_LIBS) $(LIBMD_LIBS) -lm

# What fluxd-api knows without a process or a server around it.
noinst_LIBRARIES += src/api-worker/libapi.a
src_api_worker_libapi_a_SOURCES = \
	src/api-worker/answer.c \
	src/api-worker/answer.h \
	src/api-worker/exposition.c \
	src/api-worker/exposition.h \
	src/api-worker/peers.c \
	src/api-worker/peers.h \
	src/api-worker/routes.c \
	src/api-worker/routes.def \
	src/api-worker/routes.h \
	src/api-worker/scalar.c \
	src/api-worker/scalar.h \
	src/api-worker/schema.c \
	src/api-worker/schema.h \
	src/api-worker/spec.c \
	src/api-worker/spec.h \
	src/api-worker/target.c \
	src/api-worker/target.h \
	src/api-worker/workload.c \
	src/api-worker/workload.h
src_api_worker_libapi_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)

# The server and its handlers, for the program and for tests over sockets.
noinst_LIBRARIES += src/api-worker/libhttp.a
src_api_worker_libhttp_a_SOURCES = \
	src/api-worker/ask.c \
	src/api-worker/ask.h \
	src/api-worker/call.c \
	src/api-worker/call.h \
	src/api-worker/conn.c \
	src/api-worker/conn.h \
	src/api-worker/handlers.c \
	src/api-worker/handlers.h \
	src/api-worker/head.c \
	src/api-worker/head.h \
	src/api-worker/held.c \
	src/api-worker/held.h \
	src/api-worker/http.c \
	src/api-worker/http.h \
	src/api-worker/listing.c \
	src/api-worker/listing.h \
	src/api-worker/on_change.c \
	src/api-worker/on_daemon.c \
	src/api-worker/on_export.c \
	src/api-worker/on_git.c \
	src/api-worker/on_list.c \
	src/api-worker/places.c \
	src/api-worker/places.h \
	src/api-worker/token.c \
	src/api-worker/token.h
src_api_worker_libhttp_a_CPPFLAGS = $(AM_CPPFLAGS) $(MHD_CFLAGS) \
	$(JANSSON_CFLAGS) $(SECCOMP_CFLAGS)

API_LIBS = src/api-worker/libhttp.a src/api-worker/libapi.a \
	src/common/libworker.a src/common/libsandbox.a \
	src/common/libproc.a src/common/libipc.a \
	src/common/libmodel.a src/common/libbase.a $(MHD_LIBS) $(JANSSON_LIBS) $(SECCOMP_LIBS)

pkglibexec_PROGRAMS += fluxd-api
fluxd_api_SOURCES = \
	src/api-worker/main.c \
	src/api-worker/reason.c \
	src/api-worker/sandbox.c
fluxd_api_CPPFLAGS = $(AM_CPPFLAGS) $(MHD_CFLAGS) \
	$(SECCOMP_CFLAGS)
fluxd_api_LDADD = $(API_LIBS)

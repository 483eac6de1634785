# What fluxd-upstream does without a process around it.
noinst_LIBRARIES += src/upstream-worker/libupstream.a
src_upstream_worker_libupstream_a_SOURCES = \
	src/upstream-worker/greeting.c \
	src/upstream-worker/greeting.h \
	src/upstream-worker/post.c \
	src/upstream-worker/post.h \
	src/upstream-worker/retry.c \
	src/upstream-worker/retry.h \
	src/upstream-worker/rpc.c \
	src/upstream-worker/rpc.h \
	src/upstream-worker/rpc_call.c \
	src/upstream-worker/rpc_call.h \
	src/upstream-worker/way.c \
	src/upstream-worker/way.h \
	src/upstream-worker/wire.c \
	src/upstream-worker/wire.h
UPSTREAM_CFLAGS = $(CURL_CFLAGS) $(SSL_CFLAGS) $(CRYPTO_CFLAGS) \
	$(JANSSON_CFLAGS)
UPSTREAM_LIBS = $(CURL_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) \
	$(LIBMD_LIBS)
src_upstream_worker_libupstream_a_CPPFLAGS = $(AM_CPPFLAGS) $(UPSTREAM_CFLAGS)

pkglibexec_PROGRAMS += fluxd-upstream
fluxd_upstream_SOURCES = \
	src/upstream-worker/calls.c \
	src/upstream-worker/handlers.c \
	src/upstream-worker/handlers.h \
	src/upstream-worker/main.c \
	src/upstream-worker/sandbox.c
fluxd_upstream_CPPFLAGS = $(AM_CPPFLAGS) $(UPSTREAM_CFLAGS) $(SECCOMP_CFLAGS)
fluxd_upstream_LDADD = src/upstream-worker/libupstream.a \
	src/common/libfetch.a src/common/libworker.a src/common/libproc.a \
	src/common/libsandbox.a src/common/libipc.a src/common/libmodel.a \
	src/common/libbase.a $(UPSTREAM_LIBS) $(SECCOMP_LIBS)

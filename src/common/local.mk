noinst_LIBRARIES += src/common/libbase.a
src_common_libbase_a_SOURCES = \
	src/common/base/alloc.c \
	src/common/base/base.h \
	src/common/base/buf.c \
	src/common/base/buf.h \
	src/common/base/clock.c \
	src/common/base/clock.h \
	src/common/base/decimal.c \
	src/common/base/decimal.h \
	src/common/base/err.c \
	src/common/base/err.h \
	src/common/base/fd.c \
	src/common/base/fd.h \
	src/common/base/log.c \
	src/common/base/log.h \
	src/common/base/logfmt.c \
	src/common/base/logfmt.h \
	src/common/base/loop.c \
	src/common/base/loop.h \
	src/common/base/ossl.h \
	src/common/base/quote.c \
	src/common/base/quote.h \
	src/common/base/str.c \
	src/common/base/str.h

noinst_LIBRARIES += src/common/libipc.a
src_common_libipc_a_SOURCES = \
	src/common/ipc/ipc.h \
	src/common/ipc/ipc_codec.c \
	src/common/ipc/ipc_fields.c \
	src/common/ipc/ipc_limits.h \
	src/common/ipc/ipc_messages.def \
	src/common/ipc/ipc_peer.c \
	src/common/ipc/ipc_peer.h \
	src/common/ipc/ipc_peer_parts.h \
	src/common/ipc/ipc_receive.c \
	src/common/ipc/ipc_rules.c \
	src/common/ipc/ipc_send.c \
	src/common/ipc/ipc_undef.h \
	src/common/ipc/ipc_wait.c \
	src/common/ipc/ipc_wire.c \
	src/common/ipc/ipc_wire.h \
	src/common/proc/roles.def
src_common_libipc_a_CPPFLAGS = $(AM_CPPFLAGS) $(MSGPACK_CFLAGS)

noinst_LIBRARIES += src/common/libproc.a
src_common_libproc_a_SOURCES = \
	src/common/proc/config.def \
	src/common/proc/metric_ids.h \
	src/common/proc/metrics.def \
	src/common/proc/metric.c \
	src/common/proc/metric.h \
	src/common/proc/settings.c \
	src/common/proc/settings.h
src_common_libproc_a_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)

# The frame of a worker: everything but its own code and libraries.
noinst_LIBRARIES += src/common/libworker.a
src_common_libworker_a_SOURCES = \
	src/common/proc/sandbox.h \
	src/common/proc/worker.c \
	src/common/proc/worker.h
src_common_libworker_a_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)

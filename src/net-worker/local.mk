# What fluxd-net knows about names and connections, without a process around it.
noinst_LIBRARIES += src/net-worker/libnet.a
src_net_worker_libnet_a_SOURCES = \
	src/net-worker/dial.c \
	src/net-worker/dial.h \
	src/net-worker/resolve.c \
	src/net-worker/resolve.h
src_net_worker_libnet_a_CPPFLAGS = $(AM_CPPFLAGS) $(CARES_CFLAGS)

pkglibexec_PROGRAMS += fluxd-net
fluxd_net_SOURCES = \
	src/net-worker/handlers.c \
	src/net-worker/handlers.h \
	src/net-worker/main.c \
	src/net-worker/sandbox.c
fluxd_net_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
fluxd_net_LDADD = src/net-worker/libnet.a src/common/libworker.a \
	src/common/libsandbox.a src/common/libproc.a src/common/libipc.a \
	src/common/libbase.a $(SECCOMP_LIBS) $(CARES_LIBS)

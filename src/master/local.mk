# Everything but the process itself: tests play the workers around it.
noinst_LIBRARIES += src/master/libmaster.a
src_master_libmaster_a_SOURCES = \
	src/master/call.c \
	src/master/child.c \
	src/master/child.h \
	src/master/clients.c \
	src/master/events.c \
	src/master/events.h \
	src/master/handlers.c \
	src/master/job_notes.c \
	src/master/job_notes.h \
	src/master/jobs.c \
	src/master/jobs.h \
	src/master/journal.c \
	src/master/journal.h \
	src/master/keyring.c \
	src/master/keyring.h \
	src/master/ledger.c \
	src/master/ledger.h \
	src/master/listen.c \
	src/master/listen.h \
	src/master/logger.c \
	src/master/logger.h \
	src/master/marker.c \
	src/master/marker.h \
	src/master/master.h \
	src/master/metrics.c \
	src/master/metrics.h \
	src/master/mirror.c \
	src/master/mirror.h \
	src/master/relay.c \
	src/master/relay.h \
	src/master/repair.c \
	src/master/repair.h \
	src/master/repository.c \
	src/master/repository.h \
	src/master/spool.c \
	src/master/spool.h \
	src/master/status.c \
	src/master/status.h \
	src/master/sync.c \
	src/master/sync.h \
	src/master/validate.c \
	src/master/workers.c
src_master_libmaster_a_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)

sbin_PROGRAMS += src/master/fluxd
src_master_fluxd_SOURCES = \
	src/master/main.c \
	src/master/mst_sandbox.h \
	src/master/sandbox.c \
	src/master/setup.c \
	src/master/setup.h
src_master_fluxd_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
src_master_fluxd_LDADD = src/master/libmaster.a src/master/liblaunch.a \
	src/common/libsandbox.a src/common/libproc.a src/common/libipc.a \
	src/common/libmodel.a src/common/libbase.a $(SECCOMP_LIBS)

# What confines a process; master and launcher link this and libbase only.
noinst_LIBRARIES += src/common/libsandbox.a
src_common_libsandbox_a_SOURCES = \
	src/common/proc/landlock.c \
	src/common/proc/landlock.h \
	src/common/proc/sandbox.c \
	src/common/proc/sandbox.h \
	src/common/proc/sandbox_parts.h \
	src/common/proc/sandbox_proof.c \
	src/common/proc/sandbox_self.c
src_common_libsandbox_a_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)

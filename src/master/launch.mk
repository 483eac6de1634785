pkglibexec_PROGRAMS += fluxd-launch
noinst_LIBRARIES += src/master/liblaunch.a
src_master_liblaunch_a_SOURCES = \
	src/master/launch.h \
	src/master/launch_filter.c \
	src/master/launch_usage.c \
	src/master/launch_users.c
src_master_liblaunch_a_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
fluxd_launch_SOURCES = \
	src/master/launch.c \
	src/master/launch_children.c \
	src/master/launch_exec.c \
	src/master/launch_files.c \
	src/master/launch_net.c \
	src/master/launcher.h
fluxd_launch_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
fluxd_launch_LDADD = src/master/liblaunch.a \
	src/common/libsandbox.a src/common/libipc.a src/common/libbase.a \
	$(SECCOMP_LIBS)

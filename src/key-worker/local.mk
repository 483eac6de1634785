# What fluxd-key knows about keys, without a process around it.
noinst_LIBRARIES += src/key-worker/libkey.a
src_key_worker_libkey_a_SOURCES = \
	src/key-worker/fingerprint.c \
	src/key-worker/fingerprint.h \
	src/key-worker/key.c \
	src/key-worker/key.h \
	src/key-worker/make.c \
	src/key-worker/openssh.c \
	src/key-worker/openssh_write.c \
	src/key-worker/request.c \
	src/key-worker/request.h \
	src/key-worker/sealed.c \
	src/key-worker/sealed.h \
	src/key-worker/ssh_wire.c \
	src/key-worker/ssh_wire.h
src_key_worker_libkey_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)

pkglibexec_PROGRAMS += fluxd-key
fluxd_key_SOURCES = \
	src/key-worker/handlers.c \
	src/key-worker/handlers.h \
	src/key-worker/main.c \
	src/key-worker/sandbox.c
fluxd_key_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS) $(CRYPTO_CFLAGS)
fluxd_key_LDADD = src/key-worker/libkey.a src/common/libworker.a \
	src/common/libsandbox.a src/common/libproc.a src/common/libipc.a \
	src/common/libmodel.a src/common/libbase.a $(SECCOMP_LIBS) \
	$(CRYPTO_LIBS)

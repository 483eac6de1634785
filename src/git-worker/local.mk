# What a unit test can link without a process around it.
noinst_LIBRARIES += src/git-worker/libgw.a
src_git_worker_libgw_a_CPPFLAGS = $(AM_CPPFLAGS) $(GIT2_CFLAGS) $(SSH2_CFLAGS) \
	$(CURL_CFLAGS) $(SSL_CFLAGS) $(CRYPTO_CFLAGS)
src_git_worker_libgw_a_SOURCES = \
	src/git-worker/git_lib.c \
	src/git-worker/git_lib.h \
	src/git-worker/history.c \
	src/git-worker/history.h \
	src/git-worker/http.c \
	src/git-worker/http.h \
	src/git-worker/http_redirect.c \
	src/git-worker/http_trust.c \
	src/git-worker/http_trust.h \
	src/git-worker/known_hosts.c \
	src/git-worker/known_hosts.h \
	src/git-worker/notes.c \
	src/git-worker/notes.h \
	src/git-worker/oidset.c \
	src/git-worker/oidset.h \
	src/git-worker/objects.c \
	src/git-worker/objects.h \
	src/git-worker/pkt.c \
	src/git-worker/pkt.h \
	src/git-worker/link.c \
	src/git-worker/link.h \
	src/git-worker/links.c \
	src/git-worker/links.h \
	src/git-worker/local_repo.c \
	src/git-worker/local_repo.h \
	src/git-worker/mirror.c \
	src/git-worker/mirror.h \
	src/git-worker/mirror_files.c \
	src/git-worker/mirror_files.h \
	src/git-worker/mirror_refs.c \
	src/git-worker/remote.c \
	src/git-worker/remote.h \
	src/git-worker/ssh.c \
	src/git-worker/ssh.h \
	src/git-worker/ssh_host.c \
	src/git-worker/ssh_session.c \
	src/git-worker/ssh_session.h \
	src/git-worker/text.c \
	src/git-worker/text.h \
	src/git-worker/transport.c \
	src/git-worker/transport.h \
	src/git-worker/tree.c \
	src/git-worker/tree.h

GW_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS) $(GIT2_CFLAGS) $(CRYPTO_CFLAGS)
GW_LDADD = src/git-worker/libgw.a src/common/libworker.a \
	src/common/libsandbox.a src/common/libproc.a src/common/libipc.a \
	src/common/libmodel.a src/common/libbase.a $(MSGPACK_LIBS) \
	$(SECCOMP_LIBS) $(GIT2_LIBS)

pkglibexec_PROGRAMS += fluxd-git
fluxd_git_SOURCES = \
	src/git-worker/calls.c \
	src/git-worker/handlers.c \
	src/git-worker/handlers.h \
	src/git-worker/local.c \
	src/git-worker/main.c \
	src/git-worker/sandbox.c
fluxd_git_CPPFLAGS = $(GW_CPPFLAGS)
fluxd_git_LDADD = $(GW_LDADD) $(SSH2_LIBS) $(CRYPTO_LIBS)

# A program of its own, so that who uses ssh does not carry libcurl.
pkglibexec_PROGRAMS += fluxd-git-http
fluxd_git_http_SOURCES = \
	src/git-worker/calls.c \
	src/git-worker/handlers.c \
	src/git-worker/handlers.h \
	src/git-worker/main_http.c \
	src/git-worker/sandbox.c
fluxd_git_http_CPPFLAGS = $(GW_CPPFLAGS)
fluxd_git_http_LDADD = $(GW_LDADD) $(CURL_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS)

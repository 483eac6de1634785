# TLS and HTTP over sockets that were given, driven by the loop.
noinst_LIBRARIES += src/common/libfetch.a
src_common_libfetch_a_SOURCES = \
	src/common/fetch/multi.c \
	src/common/fetch/multi.h \
	src/common/fetch/reply_head.c \
	src/common/fetch/reply_head.h \
	src/common/fetch/tls.c \
	src/common/fetch/tls.h \
	src/common/fetch/wsframe.c \
	src/common/fetch/wsframe.h
src_common_libfetch_a_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(SSL_CFLAGS) \
	$(CRYPTO_CFLAGS) $(LIBMD_CFLAGS)

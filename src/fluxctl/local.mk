noinst_LIBRARIES += src/fluxctl/libfluxctl.a
src_fluxctl_libfluxctl_a_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS)
src_fluxctl_libfluxctl_a_SOURCES = \
	src/fluxctl/answer.c \
	src/fluxctl/answer.h \
	src/fluxctl/api.c \
	src/fluxctl/api.h \
	src/fluxctl/client.c \
	src/fluxctl/client.h \
	src/fluxctl/cmd.h \
	src/fluxctl/cmd_completion.c \
	src/fluxctl/cmd_help.c \
	src/fluxctl/cmd_identity.c \
	src/fluxctl/cmd_sandbox.c \
	src/fluxctl/cmd_sync.c \
	src/fluxctl/cmd_version.c \
	src/fluxctl/commands.def \
	src/fluxctl/error.c \
	src/fluxctl/error.h \
	src/fluxctl/help.c \
	src/fluxctl/help.h \
	src/fluxctl/locate.c \
	src/fluxctl/locate.h \
	src/fluxctl/options.c \
	src/fluxctl/options.h \
	src/fluxctl/suggest.c \
	src/fluxctl/suggest.h \
	src/fluxctl/table.c \
	src/fluxctl/table.h \
	src/fluxctl/text.c \
	src/fluxctl/text.h \
	src/fluxctl/url.c \
	src/fluxctl/url.h \
	src/fluxctl/values.c \
	src/fluxctl/values.h \
	src/fluxctl/wait.c \
	src/fluxctl/wait.h

bin_PROGRAMS += src/fluxctl/fluxctl
src_fluxctl_fluxctl_SOURCES = src/fluxctl/main.c
src_fluxctl_fluxctl_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS)
src_fluxctl_fluxctl_LDADD = src/fluxctl/libfluxctl.a src/common/libbase.a \
	$(CURL_LIBS) $(JANSSON_LIBS)
dist_man_MANS += doc/fluxctl.1

# What `fluxctl completion` prints, kept so that a cross build can install it;
# tests/compat/ctl/documents.sh compares.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = contrib/completion/bash/fluxctl
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = contrib/completion/fish/fluxctl.fish
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = contrib/completion/zsh/_fluxctl

noinst_LIBRARIES += src/fluxctl/libfluxctl.a
src_fluxctl_libfluxctl_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/src/manifest-worker \
	$(CURL_CFLAGS) $(JANSSON_CFLAGS) $(SECCOMP_CFLAGS)
src_fluxctl_libfluxctl_a_SOURCES = \
	src/fluxctl/answer.c \
	src/fluxctl/answer.h \
	src/fluxctl/api.c \
	src/fluxctl/api.h \
	src/fluxctl/apiserver.c \
	src/fluxctl/apiserver.h \
	src/fluxctl/change.c \
	src/fluxctl/change.h \
	src/fluxctl/client.c \
	src/fluxctl/client.h \
	src/fluxctl/cmd.h \
	src/fluxctl/cmd_automate.c \
	src/fluxctl/cmd_completion.c \
	src/fluxctl/cmd_deautomate.c \
	src/fluxctl/cmd_help.c \
	src/fluxctl/cmd_identity.c \
	src/fluxctl/cmd_install.c \
	src/fluxctl/cmd_list_images.c \
	src/fluxctl/cmd_list_workloads.c \
	src/fluxctl/cmd_lock.c \
	src/fluxctl/cmd_policy.c \
	src/fluxctl/cmd_release.c \
	src/fluxctl/cmd_sandbox.c \
	src/fluxctl/cmd_save.c \
	src/fluxctl/cmd_sync.c \
	src/fluxctl/cmd_unlock.c \
	src/fluxctl/cmd_version.c \
	src/fluxctl/commands.def \
	src/fluxctl/confine.c \
	src/fluxctl/confine.h \
	src/fluxctl/connect.c \
	src/fluxctl/connect.h \
	src/fluxctl/error.c \
	src/fluxctl/error.h \
	src/fluxctl/export.c \
	src/fluxctl/export.h \
	src/fluxctl/forward.c \
	src/fluxctl/forward.h \
	src/fluxctl/forward_channel.h \
	src/fluxctl/forwarder.c \
	src/fluxctl/frames.c \
	src/fluxctl/frames.h \
	src/fluxctl/gojson.c \
	src/fluxctl/gojson.h \
	src/fluxctl/help.c \
	src/fluxctl/help.h \
	src/fluxctl/http.c \
	src/fluxctl/http.h \
	src/fluxctl/instant.c \
	src/fluxctl/instant.h \
	src/fluxctl/kube.c \
	src/fluxctl/kube.h \
	src/fluxctl/locate.c \
	src/fluxctl/locate.h \
	src/fluxctl/login.c \
	src/fluxctl/login.h \
	src/fluxctl/manifests.c \
	src/fluxctl/manifests.h \
	src/fluxctl/menu.c \
	src/fluxctl/menu.h \
	src/fluxctl/namespace.c \
	src/fluxctl/namespace.h \
	src/fluxctl/options.c \
	src/fluxctl/options.h \
	src/fluxctl/output.c \
	src/fluxctl/output.h \
	src/fluxctl/paths.c \
	src/fluxctl/paths.h \
	src/fluxctl/plugin.c \
	src/fluxctl/plugin.h \
	src/fluxctl/pods.c \
	src/fluxctl/pods.h \
	src/fluxctl/record.c \
	src/fluxctl/record.h \
	src/fluxctl/result.c \
	src/fluxctl/result.h \
	src/fluxctl/rollout.c \
	src/fluxctl/rollout.h \
	src/fluxctl/spdy.c \
	src/fluxctl/suggest.c \
	src/fluxctl/suggest.h \
	src/fluxctl/table.c \
	src/fluxctl/table.h \
	src/fluxctl/text.c \
	src/fluxctl/text.h \
	src/fluxctl/tunnel.c \
	src/fluxctl/tunnel.h \
	src/fluxctl/update.c \
	src/fluxctl/update.h \
	src/fluxctl/url.c \
	src/fluxctl/url.h \
	src/fluxctl/user.c \
	src/fluxctl/user.h \
	src/fluxctl/values.c \
	src/fluxctl/values.h \
	src/fluxctl/wait.c \
	src/fluxctl/wait.h \
	src/fluxctl/websocket.c \
	src/fluxctl/workload.c \
	src/fluxctl/workload.h \
	src/fluxctl/yamlout.c \
	src/fluxctl/yamlout.h

# YAML is read and written by the code that reads and writes manifests.
fluxctl_libs = src/fluxctl/libfluxctl.a src/manifest-worker/libmanifest.a \
	src/common/libfetch.a src/common/libmodel.a src/common/libsandbox.a \
	src/common/libbase.a $(CURL_LIBS) $(JANSSON_LIBS) $(SECCOMP_LIBS) $(YAML_LIBS) $(LIBMD_LIBS) -lm

bin_PROGRAMS += src/fluxctl/fluxctl
src_fluxctl_fluxctl_SOURCES = src/fluxctl/main.c
src_fluxctl_fluxctl_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS)
src_fluxctl_fluxctl_LDADD = $(fluxctl_libs)
dist_man_MANS += doc/fluxctl.1

# What `fluxctl completion` prints, kept so that a cross build can install it;
# tests/compat/ctl/documents.sh compares.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = contrib/completion/bash/fluxctl
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = contrib/completion/fish/fluxctl.fish
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = contrib/completion/zsh/_fluxctl

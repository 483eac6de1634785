dist_man_MANS += doc/fluxd.8

# Examples of running it; nothing of this is installed.
EXTRA_DIST += \
	contrib/container/Dockerfile \
	contrib/kubernetes/account.yaml \
	contrib/kubernetes/deployment.yaml \
	contrib/kubernetes/namespace.yaml \
	contrib/kubernetes/networkpolicy.yaml \
	contrib/kubernetes/secret.yaml \
	contrib/systemd/fluxd.service

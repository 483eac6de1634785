integration_tests = \
	tests/integration/kubeconfig.sh \
	tests/integration/marker.sh \
	tests/integration/loading.sh \
	tests/integration/road.sh
TESTS += $(integration_tests)
EXTRA_DIST += $(integration_tests)

integration_tests = \
	tests/integration/api.sh \
	tests/integration/disk.sh \
	tests/integration/kubeconfig.sh \
	tests/integration/loading.sh \
	tests/integration/logs.sh \
	tests/integration/marker.sh \
	tests/integration/metrics.sh \
	tests/integration/retry.sh \
	tests/integration/road.sh
TESTS += $(integration_tests)
EXTRA_DIST += $(integration_tests) tests/integration/metrics.txt

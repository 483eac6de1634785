#!/usr/bin/env bash
# Garbage collection against a real API server, and what an account that is
# limited to one namespace can do.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api controllers

# An account with the verbs that a hand-made role has, in one namespace.
limited=$(bed_namespace limited)
token=$(bed_service_account "$limited" fluxd)
kubectl create -f - >/dev/null <<YAML
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: fluxd, namespace: $limited}
rules:
- {apiGroups: ['*'], resources: ['*'], verbs: [get, list, create, patch, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: fluxd, namespace: $limited}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: fluxd}
subjects: [{kind: ServiceAccount, name: fluxd, namespace: $limited}]
YAML
bed_kubeconfig "$T_DIR/limited" "$token" "$limited"
export GC_LIMITED_KUBECONFIG=$T_DIR/limited GC_LIMITED_NAMESPACE=$limited

"$FX_BUILDDIR"/tests/integration/test_sync_gc

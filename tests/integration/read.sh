#!/usr/bin/env bash
# What the cluster runs, as fluxd-sync reads it: rollouts by real controllers,
# releases, restricted accounts, what a listing costs, and exports.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api controllers kwok

main=$(bed_namespace reading)
other=$(bed_namespace reading-other)
export READ_NS=$main READ_OTHER=$other READ_DIR=$T_DIR

# pod IMAGE [MORE]: a template
pod() {
	echo "{metadata: {labels: {app: x}}, spec: {${2:-}terminationGracePeriodSeconds: 0,
	  containers: [{name: main, image: \"$1\"}],
	  initContainers: [{name: first, image: \"init:1\"}]}}"
}

# crd GROUP VERSION KIND: a Helm operator's, as far as it matters here
crd() {
	local plural=${3,,}s
	cat <<-YAML
	---
	apiVersion: apiextensions.k8s.io/v1
	kind: CustomResourceDefinition
	metadata: {name: $plural.$1}
	spec:
	  group: $1
	  scope: Namespaced
	  names: {kind: $3, plural: $plural, singular: ${3,,}}
	  versions:
	  - name: $2
	    served: true
	    storage: true
	    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
	YAML
}

{
	crd helm.fluxcd.io v1 HelmRelease
	crd flux.weave.works v1beta1 HelmRelease
	crd helm.integrations.flux.weave.works v1alpha2 FluxHelmRelease
} | kubectl create -f - >/dev/null
kubectl wait --for=condition=Established --timeout=60s crd --all >/dev/null
# Established is said before the server's list of kinds has them.
for kind in helmreleases.v1.helm.fluxcd.io helmreleases.v1beta1.flux.weave.works \
	fluxhelmreleases.v1alpha2.helm.integrations.flux.weave.works; do
	must 60 kubectl get "$kind"
done

# A Deployment says why it lacks a pod first, and only that: it must not be that
# the quota is not known yet.
kubectl create -f - >/dev/null <<YAML
apiVersion: v1
kind: ResourceQuota
metadata: {name: one, namespace: $other}
spec: {hard: {pods: "1"}}
YAML
must 60 kubectl -n "$other" run probe --image=probe:1 --dry-run=server

selector='{matchLabels: {app: x}}'
kubectl create -f - >/dev/null <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: $main, labels: {app: web, tier: front},
  annotations: {helm.fluxcd.io/antecedent: "$main:helmrelease/both"}}
spec: {replicas: 2, selector: $selector, template: $(pod registry.example.org/web:1.0)}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: none, namespace: $main}
spec: {replicas: 0, selector: $selector, template: $(pod ":no-image")}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: late, namespace: $main}
spec: {replicas: 1, progressDeadlineSeconds: 1, selector: $selector,
  template: $(pod late:1 'nodeSelector: {no: where}, ')}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: parted, namespace: $main}
spec: {replicas: 3, serviceName: x, selector: $selector, template: $(pod parted:1),
  podManagementPolicy: Parallel,
  updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: on-delete, namespace: $main}
spec: {replicas: 1, serviceName: x, selector: $selector, template: $(pod od:1),
  updateStrategy: {type: OnDelete}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: everywhere, namespace: $main}
spec: {selector: $selector, template: $(pod ds:1)}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: $main}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: job, image: "job:2"}]}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: limited, namespace: $other}
spec: {replicas: 2, selector: $selector, template: $(pod quota:1)}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: addon, namespace: kube-system, labels: {kubernetes.io/cluster-service: "true"}}
spec: {replicas: 0, selector: $selector, template: $(pod addon:1)}
---
apiVersion: helm.fluxcd.io/v1
kind: HelmRelease
metadata: {name: both, namespace: $main}
spec: {values: {image: {repository: r.io/chart, tag: "3"}, web: {image: "w:1"}}}
status: {releaseStatus: deployed}
---
apiVersion: flux.weave.works/v1beta1
kind: HelmRelease
metadata: {name: both, namespace: $main}
spec: {values: {image: "old:1"}}
status: {releaseStatus: FAILED}
---
apiVersion: flux.weave.works/v1beta1
kind: HelmRelease
metadata: {name: old, namespace: $main}
spec: {values: {image: "old:2"}}
status: {releaseStatus: DEPLOYED}
---
apiVersion: helm.integrations.flux.weave.works/v1alpha2
kind: FluxHelmRelease
metadata: {name: oldest, namespace: $main}
spec: {values: {image: "oldest:1"}}
YAML

# Two accounts of one namespace: a role made by hand, and one that lacks a kind.
for who in reader poor; do
	token=$(bed_service_account "$main" "$who")
	resources="['*']"
	[ "$who" = reader ] || resources="['deployments', 'daemonsets']"
	kubectl create -f - >/dev/null <<-YAML
	apiVersion: rbac.authorization.k8s.io/v1
	kind: Role
	metadata: {name: $who, namespace: $main}
	rules: [{apiGroups: ['*'], resources: $resources, verbs: [get, list]}]
	---
	apiVersion: rbac.authorization.k8s.io/v1
	kind: RoleBinding
	metadata: {name: $who, namespace: $main}
	roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: $who}
	subjects: [{kind: ServiceAccount, name: $who, namespace: $main}]
	YAML
	bed_kubeconfig "$T_DIR/$who" "$token" "$main"
	bed_await_right "$main" "$who" list deployments.apps
done
export READ_READER=$T_DIR/reader READ_POOR=$T_DIR/poor

"$FX_BUILDDIR"/tests/integration/test_sync_read

// Kubebed is the control plane of the test bed in one binary: a multi-call
// program whose role is its own name, or else its first argument.
//
// One binary instead of four: the parts share nearly all of their code, so
// four would take four links and four times the disk.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// Each role gets os.Args with its own name in front, as if it were a program
// of its own, and does not come back.
var roles = map[string]func(){
	"etcd":               func() { etcdmain.Main(os.Args) },
	"apiserver":          func() { os.Exit(cli.Run(apiserver.NewAPIServerCommand())) },
	"controller-manager": func() { os.Exit(cli.Run(controllermanager.NewControllerManagerCommand())) },
	"scheduler":          func() { os.Exit(cli.Run(scheduler.NewSchedulerCommand())) },
	"kubectl":            runKubectl,
}

// runKubectl does what the main function of kubectl does: its errors are
// printed by util.CheckErr, which also knows their exit codes.
func runKubectl() {
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}

func main() {
	run, ok := roles[filepath.Base(os.Args[0])]
	if !ok && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		run, ok = roles[os.Args[0]]
	}
	if !ok {
		fmt.Fprintln(os.Stderr, "usage: kubebed etcd|apiserver|controller-manager|scheduler|kubectl [ARG...]")
		os.Exit(2)
	}
	run()
}

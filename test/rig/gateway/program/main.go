// One binary for what runs beside Envoy in the gateway of the tests: the Istio agent as it is, the agent's Wasm fetcher
// alone, a control plane of ours, and the container that they run in. They share nearly all their code, so one link
// step serves them all.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pilot/cmd/pilot-agent/app"
	istioagent "istio.io/istio/pkg/istio-agent"
	"istio.io/istio/pkg/log"
	"istio.io/istio/pkg/security"
	"istio.io/istio/security/pkg/nodeagent/sds"
)

func main() {
	// Inside the container the binary has the name that it has in the gateway's image.
	if filepath.Base(os.Args[0]) == "pilot-agent" {
		fail(agent())
		return
	}
	programs := map[string]func() error{
		"container":      container,
		"container-init": containerInit,
		"control-plane":  controlPlane,
		"controller":     controller,
		"fetch":          fetch,
	}
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: gateway container|control-plane|controller|fetch")
		os.Exit(2)
	}
	fail(programs[os.Args[1]]())
}

// The real agent is this call and nothing more.
func agent() error {
	log.EnableKlogWithCobra()
	serve := func(o *security.Options, secrets security.SecretManager, key *meshconfig.PrivateKeyProvider) istioagent.SDSService {
		return sds.NewServer(o, secrets, key)
	}
	return app.NewRootCommand(serve).Execute()
}

func fail(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

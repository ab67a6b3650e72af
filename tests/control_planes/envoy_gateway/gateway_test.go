// Package envoygateway serves tool calls through Envoy Gateway in its standalone mode, with the manifests of envoy/gateway.
package envoygateway

import (
	"os"
	"testing"

	"transponder/control_planes/world"
)

func TestMain(m *testing.M) {
	os.Exit(world.Main(m))
}

// All Gateways have this address: without a cluster, they have the ports of their listeners.
const address = "127.0.0.1:80"

func TestGatewayAndExternalProviderServe(t *testing.T) {
	w := world.New(t)
	start(t, world.Apply(t, "gateway/gateway.yaml", "gateway/external-host.yaml"))
	call := world.Call{Address: address, Host: "models", Model: "m", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}
	call.Answers(t)
	call.Serves(t)
	world.Call{
		Address: address, Host: "together.models.example.com", Model: "m", Upstream: w.Provider, SeenAs: world.Provider, Key: world.Key,
	}.Serves(t)
}

func TestHeldHeadersServe(t *testing.T) {
	w := world.New(t)
	var objects []world.Object
	for _, object := range world.Apply(t, "gateway/gateway.yaml", "gateway/external-host.yaml", "gateway/held-headers.yaml") {
		// The other Gateway has the same address.
		if object.Kind != "Gateway" || object.Metadata.Name == "models-by-name" {
			objects = append(objects, object)
		}
	}
	start(t, objects)
	call := world.Call{Address: address, Host: "models", Model: "qwen", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}
	call.Answers(t)
	call.Serves(t)
	world.Call{
		Address: address, Host: "models", Model: "together/qwen", Upstream: w.Provider, SeenAs: world.Provider, Key: world.Key,
	}.Serves(t)
}

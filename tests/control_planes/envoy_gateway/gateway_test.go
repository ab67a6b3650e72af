// Package envoygateway serves tool calls through Envoy Gateway in its standalone mode, with the manifests of envoy/gateway.
package envoygateway

import (
	"os"
	"slices"
	"strings"
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
	start(t, world.Apply(t, "gateway/gateway.yaml", "gateway/external-host.yaml"), vllm)
	call := world.Call{Address: address, Host: "models", Model: "m", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}
	call.Answers(t)
	call.Serves(t)
	world.Call{
		Address: address, Host: "together.models.example.com", Model: "m", Upstream: w.Provider, SeenAs: world.Provider, Key: world.Key,
	}.Serves(t)
}

// only removes all Gateways but one, because they have the same address.
func only(gateway string, objects []world.Object) []world.Object {
	return slices.DeleteFunc(objects, func(object world.Object) bool {
		return object.Kind == "Gateway" && object.Metadata.Name != gateway
	})
}

func TestHeldHeadersServe(t *testing.T) {
	w := world.New(t)
	objects := world.Apply(t, "gateway/gateway.yaml", "gateway/external-host.yaml", "gateway/held-headers.yaml")
	start(t, only("models-by-name", objects), vllm)
	call := world.Call{Address: address, Host: "models", Model: "qwen", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}
	call.Answers(t)
	call.Serves(t)
	world.Call{
		Address: address, Host: "models", Model: "together/qwen", Upstream: w.Provider, SeenAs: world.Provider, Key: world.Key,
	}.Serves(t)
}

func TestNativeModuleServes(t *testing.T) {
	w := world.New(t)
	// In a cluster, the image is mounted there.
	module, err := os.ReadFile(os.Getenv("TRANSPONDER_MODULE"))
	if err != nil {
		t.Fatalf("%v: `make test-envoy-gateway` builds it", err)
	}
	world.Write(t, "/etc/transponder/libtransponder.so", string(module))
	start(t, only("models-native", world.Apply(t, "gateway/gateway.yaml", "gateway/native.yaml")), vllm)
	call := world.Call{Address: address, Host: "models", Model: "qwen", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}
	call.Answers(t)
	call.Serves(t)
	metrics := world.Get(t, "http://"+admin+"/stats/prometheus?filter=transponder")
	if !strings.Contains(metrics, "\ntransponder_exchanges_total{") {
		t.Errorf("the metrics have other names than those of the WebAssembly filter:\n%s", metrics)
	}
}

func TestStoredResponsesGoOn(t *testing.T) {
	w := world.New(t)
	w.StartStore(t)
	// In a cluster, the Secret is mounted there.
	world.MountSecret(t, "gateway/state.yaml", "/etc/transponder/responses", world.Key)
	start(t, only("models-stored", world.Apply(t, "gateway/gateway.yaml", "gateway/state.yaml")), vllm)
	call := world.Call{Address: address, Host: "models", Model: "m", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}
	call.Answers(t)
	call.Serves(t)
	call.GoesOn(t)
}

func TestReplicasKeepConversations(t *testing.T) {
	w := world.New(t)
	replica := w.StartReplica(t)
	start(t, world.Apply(t, "gateway/gateway.yaml", "gateway/replicas.yaml"), vllm+secondEndpoint)
	call := world.Call{Address: address, Host: "models", Model: "m", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}
	call.Answers(t)
	call.KeepsConversations(t, w.VLLM, replica)
}

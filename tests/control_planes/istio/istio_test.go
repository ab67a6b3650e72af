// Package istio serves tool calls through Istio: its discovery server and its agent, with the manifests of envoy/istio.
package istio

import (
	"net"
	"net/http"
	"os"
	"regexp"
	"testing"

	"transponder/control_planes/world"
)

func TestMain(m *testing.M) {
	os.Exit(world.Main(m,
		"PILOT_ENABLE_AMBIENT=true",
		"ENABLE_GATEWAY_API_INFERENCE_EXTENSION=true",
		// Extensions that only Istio's own build of Envoy has.
		"PILOT_ENABLE_METADATA_EXCHANGE=false",
		"PILOT_ENABLE_ALPN_FILTER=false",
	))
}

// Applies the manifests one after the other, as docs/quick-start/istio.md says.
func TestEveryManifestServes(t *testing.T) {
	w := world.New(t)
	mountKey(t, world.Key)
	istiodWith(t, world.Apply(t, "istio/gateway.yaml", "istio/sidecar.yaml", "istio/waypoint.yaml", "istio/external-host.yaml", "istio/held-headers.yaml"))

	t.Run("gateway", func(t *testing.T) {
		models.proxy(t, w, "router")
		world.Call{Address: models.address, Host: "models", Model: "m", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}.Serves(t)
		longRequestsAreRetried(t)
		ownAnswersHaveTheAPIsShape(t)
	})
	t.Run("external provider", func(t *testing.T) {
		together.proxy(t, w, "router")
		call := world.Call{Address: together.address, Host: "models", Model: "m", Upstream: w.Provider, SeenAs: world.Provider, Key: world.Key}
		call.Serves(t)
		longRequestsAreRetried(t)
		ownAnswersHaveTheAPIsShape(t)
		takesNewKey(t, call)
	})
	t.Run("held headers", func(t *testing.T) {
		byName.proxy(t, w, "router")
		world.Call{Address: byName.address, Host: "models", Model: "qwen", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}.Serves(t)
		world.Call{Address: byName.address, Host: "models", Model: "together/qwen", Upstream: w.Provider, SeenAs: world.Provider, Key: world.Key}.Serves(t)
		longRequestsAreRetried(t)
		ownAnswersHaveTheAPIsShape(t)
	})
	t.Run("sidecar", func(t *testing.T) {
		vllm.proxy(t, w, "sidecar")
		redirectInbound(t, vllm)
		world.Call{
			Address: net.JoinHostPort(vllm.address, "8000"),
			Host:    "vllm:8000", Model: "m", Upstream: w.VLLM, SeenAs: "vllm:8000", Key: world.ClientsKey,
		}.Serves(t)
		keepsConnectionsAlive(t, "outbound|8000|from-sidecars|vllm.models.svc.cluster.local")
	})
}

func TestStoredResponsesGoOn(t *testing.T) {
	w := world.New(t)
	w.StartStore(t)
	world.MountSecret(t, "istio/state.yaml", "/etc/transponder/responses", world.Key)
	istiodWith(t, world.Apply(t, "istio/gateway.yaml", "istio/state.yaml"))
	stored.proxy(t, w, "router")
	call := world.Call{Address: stored.address, Host: "models", Model: "m", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}
	call.Serves(t)
	call.GoesOn(t)
	longRequestsAreRetried(t)
	ownAnswersHaveTheAPIsShape(t)
}

func TestTrafficExtensionServes(t *testing.T) {
	w := world.New(t)
	var manifests []world.Object
	for _, object := range world.Apply(t, "istio/gateway.yaml", "istio/traffic-extension.yaml") {
		if object.Kind != "WasmPlugin" {
			manifests = append(manifests, object)
		}
	}
	istiodWith(t, manifests)
	models.proxy(t, w, "router")
	world.Call{Address: models.address, Host: "models", Model: "m", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}.Serves(t)
}

// The file for the sidecars has a DestinationRule for the same Service.
func TestReplicasKeepConversations(t *testing.T) {
	w := world.New(t)
	replica := w.StartReplica(t)
	manifests := world.Apply(t, "istio/gateway.yaml", "istio/sidecar.yaml", "istio/replicas.yaml")
	istiodWith(t, append(manifests, world.Parse(t, alsoAt(world.Replica))...))
	models.proxy(t, w, "router")
	call := world.Call{Address: models.address, Host: "models", Model: "m", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}
	call.KeepsConversations(t, w.VLLM, replica)
}

var ours = regexp.MustCompile(`/transponder:[0-9.]+`)

// The other ways to name an image, and the error for an image that does not exist.
func TestImages(t *testing.T) {
	w := world.New(t)
	for name, image := range map[string]string{
		"by digest":       "transponder@" + w.Image,
		"as an artifact":  "transponder:artifact",
		"that is missing": "transponder:none",
	} {
		t.Run(name, func(t *testing.T) {
			manifests := world.Apply(t, "istio/gateway.yaml")
			for i := range manifests {
				manifests[i].Text = ours.ReplaceAllString(manifests[i].Text, "/"+image)
			}
			istiodWith(t, manifests)
			models.proxy(t, w, "router")
			call := world.Call{Address: models.address, Host: "models", Model: "m", Upstream: w.VLLM, SeenAs: "models", Key: world.ClientsKey}
			if name != "that is missing" {
				call.Serves(t)
				return
			}
			if status, text := call.Ask(t); status != http.StatusForbidden || text != "RBAC: access denied" {
				t.Errorf("%d %s", status, text)
			}
		})
	}
}

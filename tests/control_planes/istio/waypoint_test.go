package istio

import (
	"testing"

	"transponder/control_planes/world"
)

// forStockEnvoy changes what only Istio's own build of Envoy has in a waypoint: it removes the filters that collect labels for metrics, and
// keeps the address of the tunnel as a string of Envoy's own.
const forStockEnvoy = `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata:
  name: for-stock-envoy
  namespace: models
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: models-waypoint}]
  configPatches:
  - applyTo: HTTP_FILTER
    match: {listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: waypoint_downstream_peer_metadata}}}}}
    patch: {operation: REMOVE}
  - applyTo: HTTP_FILTER
    match: {listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: waypoint_upstream_peer_metadata}}}}}
    patch: {operation: REMOVE}
  - applyTo: HTTP_FILTER
    match: {listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: connect_authority}}}}}
    patch:
      operation: REPLACE
      value:
        name: connect_authority
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config
          on_request_headers:
          - object_key: envoy.filters.listener.original_dst.local_ip
            format_string: {text_format_source: {inline_string: "%REQ(:AUTHORITY)%"}}
            shared_with_upstream: ONCE
          - object_key: io.istio.connect_authority
            format_string: {text_format_source: {inline_string: "%REQ(:AUTHORITY)%"}}
            factory_key: envoy.hashable_string
            shared_with_upstream: ONCE
          - object_key: envoy.filters.listener.original_dst.remote_ip
            format_string: {text_format_source: {inline_string: "%DOWNSTREAM_REMOTE_ADDRESS%"}}
            shared_with_upstream: ONCE`

// One of the two pods does not answer: a request whose body fits into Envoy's buffer is retried.
func TestWaypointServes(t *testing.T) {
	w := world.New(t)
	manifests := append(world.Apply(t, "istio/waypoint.yaml"), world.Parse(t, forStockEnvoy)...)
	istiodWith(t, append(manifests, world.Parse(t, alsoAt("10.0.0.9"))...))
	waypoint.proxy(t, w, "waypoint")
	ownAnswersHaveTheAPIsShape(t)
	call := world.Call{
		Dial:    w.Tunnel(t, waypoint.address+":15008", identity),
		Address: vllm.vip() + ":8000", Host: "vllm.models:8000", Model: "m", Upstream: w.VLLM, SeenAs: "vllm.models:8000", Key: world.ClientsKey,
	}
	for range 12 {
		call.Serves(t)
	}
}

func TestWaypointKeepsConversations(t *testing.T) {
	w := world.New(t)
	replica := w.StartReplica(t)
	manifests := append(world.Apply(t, "istio/sidecar.yaml", "istio/waypoint.yaml", "istio/replicas.yaml"), world.Parse(t, forStockEnvoy)...)
	istiodWith(t, append(manifests, world.Parse(t, alsoAt(world.Replica))...))
	waypoint.proxy(t, w, "waypoint")
	world.Call{
		Dial:    w.Tunnel(t, waypoint.address+":15008", identity),
		Address: vllm.vip() + ":8000", Host: "vllm.models:8000", Model: "m", Upstream: w.VLLM, SeenAs: "vllm.models:8000", Key: world.ClientsKey,
	}.KeepsConversations(t, w.VLLM, replica)
}

package istio

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	gatewayapi "istio.io/istio/pilot/pkg/config/kube/gateway"

	"transponder/control_planes/world"
)

// chart is what the extension's Helm chart makes for the release `vllm` with `provider.name=istio`.
const chart = `apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata:
  name: vllm
  namespace: models
spec:
  targetPorts: [{number: 8000}]
  appProtocol: http
  selector: {matchLabels: {app: vllm}}
  endpointPickerRef: {name: vllm-epp, port: {number: 9002}, failureMode: FailOpen}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: vllm-epp
  namespace: models
spec:
  host: vllm-epp.models.svc.cluster.local
  trafficPolicy: {tls: {mode: SIMPLE, insecureSkipVerify: true}}`

var (
	epp    = pod{"vllm-epp", "10.0.0.15", "vllm-epp", "inferencepool", "vllm-epp", "grpc-ext-proc", 9002}
	second = pod{"vllm-2", world.Replica, "vllm-2", "app", "vllm", "http", 8000}
)

// endpointsOfPool are those that Kubernetes finds for the Service that istiod makes for the pool.
func endpointsOfPool(t *testing.T) string {
	t.Helper()
	service, err := gatewayapi.InferencePoolServiceName("vllm")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: %[1]s
  namespace: models
  labels: {kubernetes.io/service-name: %[1]s}
addressType: IPv4
endpoints:
- {addresses: [%[2]s], conditions: {ready: true}, targetRef: {kind: Pod, name: vllm, namespace: models}}
- {addresses: [%[3]s], conditions: {ready: true}, targetRef: {kind: Pod, name: vllm-2, namespace: models}}
ports: [{name: http-0, port: 8000, protocol: TCP}]`, service, vllm.address, second.address)
}

// startPool runs Istio and the endpoint picker with these manifests and the pool, and its gateway.
func startPool(t *testing.T, w *world.World, manifests []world.Object) *world.Picker {
	t.Helper()
	objects := append(world.Parse(t, chart), world.Parse(t, second.objects())...)
	objects = append(objects, world.Parse(t, epp.objects())...)
	picker := world.StartPicker(t, append(world.Parse(t, vllm.objects()), objects...), vllm.address, second.address)
	objects = append(objects, world.Parse(t, endpointsOfPool(t))...)
	istiodWith(t, append(manifests, objects...))
	pool.proxy(t, w, "router")
	return picker
}

// servesAtTheIdleOne makes one model server busy after the other, and fails the test unless the picker chooses the other one, by the
// name that the model has in the pool.
func servesAtTheIdleOne(t *testing.T, picker *world.Picker, call world.Call, upstreams map[pod]*world.Upstream, nameInPool string) {
	t.Helper()
	for _, busy := range []pod{vllm, second} {
		picker.Busy(t, busy.address, busy.name)
		for idle, upstream := range upstreams {
			if idle == busy {
				continue
			}
			call.Upstream = upstream
			call.Serves(t)
			if chosen := upstream.Requests(t)[0].Headers["x-gateway-destination-endpoint"]; chosen != idle.address+":8000" {
				t.Errorf("the picker chose %q", chosen)
			}
		}
	}
	labels := fmt.Sprintf(`\{[^}]*model_name=%q`, nameInPool)
	picker.Says(t, `inference_objective_request_total`+labels+`[^}]*\} 2\n`)
	picker.Says(t, `inference_objective_output_tokens_count`+labels+`[^}]*\} 2\n`)
}

func TestInferencePoolServes(t *testing.T) {
	w := world.New(t)
	upstreams := map[pod]*world.Upstream{vllm: w.VLLM, second: w.StartReplica(t)}
	manifests := world.Apply(t, "istio/inference-pool.yaml")
	for i := range manifests {
		manifests[i].Text = strings.Replace(manifests[i].Text, "    upstream: vllm", "    upstream: vllm\n    models: [{match: fast, model: qwen-small}]", 1)
	}
	picker := startPool(t, w, manifests)
	longRequestsAreRetried(t)
	ownAnswersHaveTheAPIsShape(t)
	call := world.Call{Address: pool.address, Host: "models", Model: "fast", SeenAs: "models", Key: world.ClientsKey}
	servesAtTheIdleOne(t, picker, call, upstreams, "qwen-small")
	// One that is too long for the picker is refused by name.
	call.Padding = 6 << 20
	call.Upstream = w.VLLM
	if status, text := call.Ask(t); status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", status, text)
	}
}

// With held headers, an EnvoyFilter adds the filter, as in held-headers.yaml. Its place is before the picker, not before the router.
func TestInferencePoolServesWithHeldHeaders(t *testing.T) {
	w := world.New(t)
	upstreams := map[pod]*world.Upstream{vllm: w.VLLM, second: w.StartReplica(t)}
	var manifests []world.Object
	for _, object := range world.Apply(t, "istio/inference-pool.yaml", "istio/held-headers.yaml") {
		switch {
		case object.Metadata.Name == "transponder-by-name":
			object.Text = strings.NewReplacer(
				"name: models-by-name", "name: models-pool", "name: envoy.filters.http.router", "name: envoy.filters.http.ext_proc",
				`, "route": "together"`, "",
			).Replace(object.Text)
		case object.Kind == "WasmPlugin" || strings.HasSuffix(object.Metadata.Name, "by-name"):
			continue
		}
		manifests = append(manifests, object)
	}
	picker := startPool(t, w, manifests)
	call := world.Call{Address: pool.address, Host: "models", Model: "together/qwen", SeenAs: "models", Key: world.ClientsKey}
	servesAtTheIdleOne(t, picker, call, upstreams, "Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8")
}

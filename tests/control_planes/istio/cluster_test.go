package istio

import (
	"fmt"
	"net"
	"strings"
	"testing"

	istiod "istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config/schema/gvr"
	"istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/kube/kclient/clienttest"

	"transponder/control_planes/world"
)

const discovery = "127.0.0.1:15010"

// pod is a workload in the namespace `models`: its Service, and the label that selectors match.
type pod struct {
	name, address, service, label, value string
	portName                             string
	port                                 int
}

var (
	vllm     = pod{"vllm", world.VLLM, "vllm", "app", "vllm", "http", 8000}
	models   = gateway("models", "10.0.0.10")
	together = gateway("together", "10.0.0.11")
	byName   = gateway("models-by-name", "10.0.0.12")
	pool     = gateway("models-pool", "10.0.0.17")
	stored   = gateway("models-stored", "10.0.0.18")
	waypoint = pod{"models-waypoint", "10.0.0.13", "models-waypoint", "gateway.networking.k8s.io/gateway-name", "models-waypoint", "http", 15008}
	client   = pod{"client", "10.0.0.14", "client", "app", "client", "http", 9000}
)

// gateway is what Istio deploys for a Gateway of its class.
func gateway(name, address string) pod {
	return pod{name, address, name + "-istio", "gateway.networking.k8s.io/gateway-name", name, "http", 80}
}

// objects are the objects that a cluster has in addition to the manifests.
func (p pod) objects() string {
	return fmt.Sprintf(`apiVersion: v1
kind: Pod
metadata:
  name: %[1]s
  namespace: models
  labels: {%[4]s: %[5]s}
spec:
  serviceAccountName: default
  containers: [{name: it, image: it}]
status:
  phase: Running
  podIP: %[2]s
  podIPs: [{ip: %[2]s}]
  conditions: [{type: Ready, status: "True"}]
---
apiVersion: v1
kind: Service
metadata:
  name: %[3]s
  namespace: models
  labels: {istio.io/use-waypoint: %[8]s}
spec:
  clusterIP: %[7]s
  clusterIPs: [%[7]s]
  selector: {%[4]s: %[5]s}
  ports: [{name: %[9]s, port: %[6]d, targetPort: %[6]d}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: %[3]s
  namespace: models
  labels: {kubernetes.io/service-name: %[3]s}
addressType: IPv4
endpoints: [{addresses: [%[2]s], conditions: {ready: true}, targetRef: {kind: Pod, name: %[1]s, namespace: models}}]
ports: [{name: %[9]s, port: %[6]d, protocol: TCP}]`, p.name, p.address, p.service, p.label, p.value, p.port, p.vip(), p.waypoint(), p.portName)
}

// alsoAt is another pod of the Service `vllm`.
func alsoAt(address string) string {
	return `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: vllm-2
  namespace: models
  labels: {kubernetes.io/service-name: vllm}
addressType: IPv4
endpoints: [{addresses: [` + address + `], conditions: {ready: true}}]
ports: [{name: http, port: 8000, protocol: TCP}]`
}

// vip is the address of the Service.
func (p pod) vip() string { return strings.Replace(p.address, "10.0.0.", "10.0.1.", 1) }

// waypoint is the one of the Service, as the page's reader labels it.
func (p pod) waypoint() string {
	if p == vllm {
		return "models-waypoint"
	}
	return "none"
}

const cluster = `apiVersion: v1
kind: Namespace
metadata:
  name: models
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata:
  name: istio
spec:
  controllerName: istio.io/gateway-controller
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata:
  name: istio-waypoint
spec:
  controllerName: istio.io/mesh-controller`

// statuses are those of objects whose state istiod needs, but which only a leader in a cluster writes.
var statuses = map[string]string{
	waypoint.name: `
status:
  addresses: [{type: IPAddress, value: ` + waypoint.vip() + `}]`,
	"vllm-pool": `
status:
  parents:
  - parentRef: {name: models-pool}
    controllerName: istio.io/gateway-controller
    conditions: [{type: Accepted, status: "True", reason: Accepted, lastTransitionTime: "2026-01-01T00:00:00Z"}]`,
}

// istiodWith runs Istio's discovery server in a cluster with these manifests.
func istiodWith(t *testing.T, manifests []world.Object) *istiod.FakeDiscoveryServer {
	t.Helper()
	kubernetes := world.Parse(t, cluster)
	for _, pod := range []pod{vllm, models, together, byName, pool, stored, waypoint, client} {
		kubernetes = append(kubernetes, world.Parse(t, pod.objects())...)
	}
	var istios []world.Object
	for _, object := range manifests {
		if object.Istios() {
			istios = append(istios, object)
			continue
		}
		object.Text += statuses[object.Metadata.Name]
		kubernetes = append(kubernetes, object)
	}
	server := istiod.NewFakeDiscoveryServer(t, istiod.FakeOptions{
		KubernetesObjectString: world.Join(kubernetes),
		ConfigString:           world.Join(istios),
		ListenerBuilder:        func() (net.Listener, error) { return net.Listen("tcp", discovery) },
		KubeClientModifier:     func(client kube.Client) { clienttest.MakeCRD(t, client, gvr.InferencePool) },
	})
	return server
}

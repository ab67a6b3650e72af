package envoygateway

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"transponder/control_planes/world"
)

// envoyVersion is the version that Envoy Gateway is told to run; the test puts its own Envoy there. Without a version it asks the
// Internet for the newest.
const envoyVersion = "1.40.0"

const configuration = `apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
gateway: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
provider:
  type: Custom
  custom:
    resource: {type: File, file: {paths: [%[1]s/manifests]}}
    infrastructure: {type: Host, host: {configHome: %[1]s/config, dataHome: %[1]s/data, stateHome: %[1]s/state, runtimeDir: %[1]s/run}}
extensionApis: {enableBackend: true, enableEnvoyPatchPolicy: true}
`

// vllm takes the place of the Service: Envoy Gateway reads no Services from files.
const vllm = `apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata:
  name: vllm
  namespace: models
spec:
  endpoints:
  - ip: {address: ` + world.VLLM + `, port: 8000}`

// secondEndpoint is another pod of the Service.
const secondEndpoint = `
  - ip: {address: ` + world.Replica + `, port: 8000}`

const (
	asService = `    - name: vllm
      port: 8000`
	asBackend = `    - group: gateway.envoyproxy.io
      kind: Backend
      name: vllm`
)

// certificates are those with which Envoy fetches the module. Envoy Gateway names the files that Kubernetes mounts, in its standalone
// mode too.
const certificates = `apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyPatchPolicy
metadata:
  name: certificates-of-%[1]s
  namespace: models
spec:
  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: %[1]s}
  type: JSONPatch
  jsonPatches:
  - type: type.googleapis.com/envoy.config.cluster.v3.Cluster
    name: wasm_cluster
    operation:
      op: replace
      path: /transport_socket/typed_config/common_tls_context
      value:
        tls_params: {tls_maximum_protocol_version: TLSv1_3}
        validation_context: {trusted_ca: {filename: %[2]s/ca.crt}}
        tls_certificates: [{certificate_chain: {filename: %[2]s/tls.crt}, private_key: {filename: %[2]s/tls.key}}]`

// start runs Envoy Gateway with these objects and the Backend of vLLM, and the Envoys that it starts.
func start(t *testing.T, objects []world.Object, backend string) {
	t.Helper()
	directory := t.TempDir()
	world.Write(t, filepath.Join(directory, "manifests/all.yaml"), world.Join(standalone(t, append(objects, world.Parse(t, backend)...), directory)))
	world.Write(t, filepath.Join(directory, "config.yaml"), fmt.Sprintf(configuration, directory))
	provideEnvoy(t, directory)
	// Envoy fetches the module from this name.
	world.Name(t, "127.0.0.1", "envoy-gateway.envoy-gateway-system.svc.cluster.local")

	command := func(arguments ...string) *exec.Cmd {
		command := exec.Command(world.Tool(t, "envoy-gateway"), arguments...)
		command.Env = append(os.Environ(), "HOME="+directory)
		return command
	}
	if said, err := command("certgen", "--local", "--config-home", directory+"/config").CombinedOutput(); err != nil {
		t.Fatalf("certgen: %v: %s", err, said)
	}
	world.Start(t, "envoy-gateway", command("server", "--config-path", directory+"/config.yaml"))
}

// standalone replaces what only a cluster has.
func standalone(t *testing.T, objects []world.Object, directory string) []world.Object {
	t.Helper()
	var all []world.Object
	for _, object := range objects {
		switch object.Kind {
		case "HTTPRoute":
			object.Text = strings.ReplaceAll(object.Text, asService, asBackend)
		case "Secret":
			object.Text = stored(t, object)
		case "EnvoyProxy":
			object.Text = onThisMachine(t, object)
		case "Gateway":
			patch := fmt.Sprintf(certificates, object.Metadata.Name, directory+"/config/certs/envoy")
			all = append(all, world.Parse(t, patch)...)
		}
		all = append(all, object)
	}
	return all
}

// admin is the address of Envoy's admin page, for which Envoy Gateway lets the machine choose a port.
const admin = "127.0.0.1:19100"

// onThisMachine is an EnvoyProxy whose Envoy runs beside Envoy Gateway, and not in a pod.
func onThisMachine(t *testing.T, proxy world.Object) string {
	t.Helper()
	var fields map[string]any
	proxy.Into(t, &fields)
	spec := fields["spec"].(map[string]any)
	spec["provider"] = map[string]any{"type": "Host", "host": map[string]any{"envoyVersion": envoyVersion}}
	bootstrap := spec["bootstrap"].(map[string]any)
	bootstrap["value"] = bootstrap["value"].(string) + "\nadmin: {address: {socket_address: {address: 127.0.0.1, port_value: 19100}}}\n"
	text, err := yaml.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// stored is a Secret as the API server stores it: without stringData.
func stored(t *testing.T, secret world.Object) string {
	t.Helper()
	var fields map[string]any
	secret.Into(t, &fields)
	data := map[string][]byte{}
	for key, value := range fields["stringData"].(map[string]any) {
		data[key] = []byte(value.(string))
	}
	delete(fields, "stringData")
	fields["data"] = data
	text, err := yaml.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// provideEnvoy puts the Envoy of the tests where Envoy Gateway would download one.
func provideEnvoy(t *testing.T, directory string) {
	t.Helper()
	binary := filepath.Join(directory, "data/envoy-versions", envoyVersion, "bin/envoy")
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(os.Getenv("TRANSPONDER_ENVOY"), binary); err != nil {
		t.Fatal(err)
	}
}

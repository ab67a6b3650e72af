package istio

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"transponder/control_planes/world"
)

const identity = "spiffe://cluster.local/ns/models/sa/default"

// proxy runs pilot-agent with an Envoy as the container istio-proxy does, and returns when Envoy is ready.
func (p pod) proxy(t *testing.T, w *world.World, kind string) *world.Process {
	t.Helper()
	directory := t.TempDir()
	file := func(name, text string) { world.Write(t, filepath.Join(directory, name), text) }
	file("etc/istio/pod/labels", fmt.Sprintf("%s=%q\n", p.label, p.value))
	file("etc/istio/pod/annotations", "")
	file("var/run/secrets/tokens/istio-token", "none")
	certificate := w.Authority().Certify(t, p.name, identity)
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	file("etc/certs/key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	file("etc/certs/cert-chain.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})))
	file("etc/certs/root-cert.pem", w.Authority().PEM)
	file("etc/istio/proxy/empty", "")
	world.Write(t, "/var/lib/istio/data/empty", "") // for the modules

	command := exec.Command(world.Tool(t, "pilot-agent"), "proxy", kind, "--domain", "models.svc.cluster.local", "--proxyLogLevel=warning")
	command.Dir = directory
	command.Env = append(os.Environ(),
		"POD_NAME="+p.name, "POD_NAMESPACE=models", "SERVICE_ACCOUNT=default", "INSTANCE_IP="+p.address,
		"ISTIO_META_CLUSTER_ID=Kubernetes", "ISTIO_META_NAMESPACE=models",
		"PROXY_CONFIG="+fmt.Sprintf(
			`{discoveryAddress: %q, controlPlaneAuthPolicy: NONE, binaryPath: %q, proxyBootstrapTemplatePath: %q, statusPort: 15020, concurrency: 1}`,
			discovery, os.Getenv("TRANSPONDER_ENVOY"), bootstrapTemplate(t)))
	process := world.Start(t, p.name, command)
	world.Eventually(t, p.name+" is ready", func() error {
		process.Running(t)
		answer, err := http.Get("http://" + net.JoinHostPort(p.address, "15021") + "/healthz/ready")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s\n%s", answer.Status, lastErrors(process.Log(t)))
		}
		return nil
	})
	return process
}

func lastErrors(log string) string {
	var said []string
	for line := range strings.SplitSeq(log, "\n") {
		if strings.Contains(line, "rejected") || strings.Contains(line, "\terror\t") {
			said = append(said, line)
		}
	}
	return strings.Join(said[max(0, len(said)-5):], "\n")
}

// bootstrapTemplate is Istio's template for Envoy's bootstrap, without the extension of waypoints that only Istio's own build of Envoy has.
func bootstrapTemplate(t *testing.T) string {
	t.Helper()
	said, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio").Output()
	if err != nil {
		t.Fatal(err)
	}
	template, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(said)), "tools/packaging/common/envoy_bootstrap.json"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "envoy_bootstrap.json")
	world.Write(t, path, strings.ReplaceAll(string(template), "if .metadata_discovery", "if false"))
	return path
}

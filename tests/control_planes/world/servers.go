package world

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// The names in the manifests, and their addresses in this network.
const (
	VLLM            = "10.0.0.5"
	Provider        = "api.together.xyz"
	providerAddress = "10.0.0.6"
	registryName    = "registry.example.com"
	registryAddress = "10.0.0.7"
	bundle          = "/etc/ssl/certs/ca-certificates.crt"
	hosts           = "/etc/hosts"
)

// World is everything outside the control plane and its proxy.
type World struct {
	// VLLM is the Service `vllm`, Provider the external provider.
	VLLM, Provider *Upstream
	// Image is the digest of our image in the registry, where it also has the tag of the manifests.
	Image     string
	authority *Authority
}

// New starts the servers. They end with the tests.
func New(t *testing.T) *World {
	t.Helper()
	authority := newAuthority(t)
	world := &World{
		VLLM:      startUpstream(t, VLLM+":8000"),
		Provider:  startUpstream(t, "127.0.0.1:8000"),
		authority: authority,
	}
	Write(t, bundle, authority.PEM)
	Write(t, hosts, "127.0.0.1 localhost\n")
	Name(t, providerAddress, Provider)
	Name(t, registryAddress, registryName)
	Write(t, "/etc/resolv.conf", "nameserver 127.0.0.1\n")

	serveTLS(t, authority, Provider, providerAddress, proxyTo(world.Provider.address))
	serveTLS(t, authority, registryName, registryAddress, registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	world.Image = world.push(t, "image", "")
	world.push(t, "artifact", "artifact")
	return world
}

// Name gives an address a name.
func Name(t *testing.T, address, name string) {
	t.Helper()
	known, err := os.ReadFile(hosts)
	if err != nil {
		t.Fatal(err)
	}
	Write(t, hosts, fmt.Sprintf("%s%s %s\n", known, address, name))
}

// push builds the image as `make image` does, and returns its digest in the registry. Without a tag it gets the tag of
// the version.
func (w *World) push(t *testing.T, form, tag string) string {
	t.Helper()
	output := t.TempDir()
	if said, err := exec.Command(filepath.Join(Project(t), "envoy/image.py"), "--output", output).CombinedOutput(); err != nil {
		t.Fatalf("envoy/image.py: %v\n%s", err, said)
	}
	index, err := layout.ImageIndexFromPath(filepath.Join(output, form))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	described := manifest.Manifests[0]
	image, err := index.Image(described.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if tag == "" {
		tag = described.Annotations["org.opencontainers.image.ref.name"]
	}
	reference, err := name.ParseReference(registryName + "/transponder:" + tag)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.authority.Pool()}}
	if err := remote.Write(reference, image, remote.WithTransport(transport)); err != nil {
		t.Fatal(err)
	}
	return described.Digest.String()
}

// proxyTo passes requests on to a server without TLS.
func proxyTo(address string) http.Handler {
	target := &url.URL{Scheme: "http", Host: address}
	return &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(target)
			request.Out.Host = request.In.Host
		},
		FlushInterval: -1,
	}
}

func serveTLS(t *testing.T, authority *Authority, name, address string, handler http.Handler) {
	t.Helper()
	listener, err := tls.Listen("tcp", address+":443", &tls.Config{
		Certificates: []tls.Certificate{authority.Certify(t, name, name)},
		NextProtos:   []string{"http/1.1"},
		// A client that omits the server name reaches no server.
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if hello.ServerName != name {
				return nil, fmt.Errorf("asked for %q", hello.ServerName)
			}
			return nil, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	t.Cleanup(func() { server.Close() })
	go server.Serve(listener)
}

// Authority signs the certificates of all servers and workloads.
type Authority struct {
	PEM         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Authority is the authority that the proxies trust.
func (w *World) Authority() *Authority { return w.authority }

func newAuthority(t *testing.T) *Authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &Authority{PEM: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), certificate: certificate, key: key}
}

// Pool contains only this authority.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// Certify signs a certificate for a DNS name or a SPIFFE identity.
func (a *Authority) Certify(t *testing.T, commonName, identity string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: commonName},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	if strings.HasPrefix(identity, "spiffe://") {
		uri, err := url.Parse(identity)
		if err != nil {
			t.Fatal(err)
		}
		template.URIs = []*url.URL{uri}
	} else {
		template.DNSNames = []string{identity}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key}
}

// Upstream is the scripted Chat Completions server of examples/chat_upstream.
type Upstream struct{ address string }

// Request is a request as the upstream received it.
type Request struct {
	Path    string
	Headers map[string]string
	Body    json.RawMessage
}

func startUpstream(t *testing.T, address string) *Upstream {
	t.Helper()
	Start(t, "upstream-"+address, exec.Command(filepath.Join(Project(t), "target/debug/examples/chat_upstream"), "--listen", address))
	awaitPort(t, address)
	return &Upstream{address}
}

func awaitPort(t *testing.T, address string) {
	t.Helper()
	Eventually(t, address, func() error {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			connection.Close()
		}
		return err
	})
}

// Script sets the next replies, and forgets the requests seen so far.
func (u *Upstream) Script(t *testing.T, script any) {
	t.Helper()
	u.control(t, http.MethodDelete, "requests", nil, nil)
	u.control(t, http.MethodPost, "script", script, nil)
}

// Requests returns the requests since the last script.
func (u *Upstream) Requests(t *testing.T) []Request {
	t.Helper()
	var requests []Request
	u.control(t, http.MethodGet, "requests", nil, &requests)
	return requests
}

func (u *Upstream) control(t *testing.T, method, what string, body, answer any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(method, fmt.Sprintf("http://%s/_/%s", u.address, what), bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("content-type", "application/json")
	// Connections are not reused, because older ones would bypass new rules of the network.
	request.Close = true
	response, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %s %v", method, what, response.Status, said, err)
	}
	if answer != nil {
		if err := json.Unmarshal(said, answer); err != nil {
			t.Fatal(err)
		}
	}
}

package world

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"
)

const (
	apiServer = "10.0.0.16:6443"
	// Where the picker finds the metrics of a model server.
	metricsPort = "9400"
)

const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: it, cluster: {server: "http://` + apiServer + `"}}]
contexts: [{name: it, context: {cluster: it, user: it}}]
users: [{name: it, user: {}}]
current-context: it
`

// Picker is the endpoint picker of the Gateway API Inference Extension.
type Picker struct{ servers map[string]*modelServer }

// StartPicker runs the picker of the pool `vllm` in a cluster with these objects. The model servers have these addresses.
func StartPicker(t *testing.T, objects []Object, servers ...string) *Picker {
	t.Helper()
	picker := &Picker{map[string]*modelServer{}}
	for _, address := range servers {
		picker.servers[address] = &modelServer{}
		serve(t, address+":"+metricsPort, picker.servers[address])
	}
	startAPIServer(t, apiServer, objects)
	config := filepath.Join(t.TempDir(), "kubeconfig")
	Write(t, config, kubeconfig)
	command := exec.Command(toolOf(t, "../endpoint_picker", "epp"),
		"--pool-namespace=models", "--pool-name=vllm", "--metrics-endpoint-auth=false", "--model-server-metrics-port="+metricsPort)
	command.Env = append(os.Environ(), "KUBECONFIG="+config)
	process := Start(t, "epp", command)
	Eventually(t, "the picker's pods", func() error {
		process.Running(t)
		return picker.says(fmt.Sprintf(`inference_pool_ready_pods\{name="vllm"\} %d\n`, len(servers)))
	})
	return picker
}

// Busy makes this model server the one that has a long queue, and waits until the picker knows.
func (p *Picker) Busy(t *testing.T, busy, pod string) {
	t.Helper()
	for address, server := range p.servers {
		server.busy.Store(address == busy)
	}
	Eventually(t, "the picker sees the queue", func() error {
		return p.says(`inference_pool_per_pod_queue_size\{[^}]*"` + pod + `[^}]*\} 100\n`)
	})
}

// Says fails the test unless a line of the picker's metrics matches.
func (p *Picker) Says(t *testing.T, pattern string) {
	t.Helper()
	if err := p.says(pattern); err != nil {
		t.Error(err)
	}
}

func (p *Picker) says(pattern string) error {
	text, err := get("http://127.0.0.1:9090/metrics")
	if err == nil && !regexp.MustCompile(pattern).MatchString(text) {
		err = fmt.Errorf("no %s in the metrics of the picker:\n%s", pattern, text)
	}
	return err
}

// modelServer answers with the metrics of a vLLM.
type modelServer struct{ busy atomic.Bool }

func (s *modelServer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	waiting, cache := 0, 0
	if s.busy.Load() {
		waiting, cache = 100, 1
	}
	for name, value := range map[string]int{
		"vllm:num_requests_waiting": waiting, "vllm:num_requests_running": 0, "vllm:kv_cache_usage_perc": cache,
	} {
		fmt.Fprintf(w, "# TYPE %s gauge\n%s{model_name=\"m\"} %d\n", name, name, value)
	}
}

package istio

import (
	"encoding/json"
	"net/http"
	"testing"
)

// longRequestsAreRetried checks every route of the running Envoy: it retries a request only if its body fits into the buffer
// of the virtual host.
func longRequestsAreRetried(t *testing.T) {
	t.Helper()
	answer, err := http.Get("http://127.0.0.1:15000/config_dump?resource=dynamic_route_configs")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var dump struct {
		Configs []struct {
			RouteConfig struct {
				VirtualHosts []struct {
					Name  string
					Limit int `json:"request_body_buffer_limit,string"`
				} `json:"virtual_hosts"`
			} `json:"route_config"`
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&dump); err != nil {
		t.Fatal(err)
	}
	hosts := 0
	for _, routes := range dump.Configs {
		for _, host := range routes.RouteConfig.VirtualHosts {
			hosts++
			if host.Limit < 64<<20 {
				t.Errorf("%s buffers %d bytes", host.Name, host.Limit)
			}
		}
	}
	if hosts == 0 {
		t.Error("Envoy has no routes")
	}
}

package istio

import (
	"encoding/json"
	"testing"

	"transponder/control_planes/world"
)

// configDump decodes a part of the configuration of the running Envoy.
func configDump(t *testing.T, resource string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(world.Get(t, "http://127.0.0.1:15000/config_dump?resource="+resource)), into); err != nil {
		t.Fatal(err)
	}
}

// ownAnswersHaveTheAPIsShape checks that every listener for HTTP of the running Envoy maps the two kinds of answers that no filter sees.
func ownAnswersHaveTheAPIsShape(t *testing.T) {
	t.Helper()
	var dump struct {
		Configs []struct {
			ActiveState struct {
				Listener struct {
					Name         string
					FilterChains []struct {
						Filters []struct {
							Name        string
							TypedConfig struct {
								LocalReplyConfig struct{ Mappers []any } `json:"local_reply_config"`
							} `json:"typed_config"`
						}
					} `json:"filter_chains"`
				}
			} `json:"active_state"`
		}
	}
	configDump(t, "dynamic_listeners", &dump)
	managers := 0
	for _, config := range dump.Configs {
		listener := config.ActiveState.Listener
		for _, chain := range listener.FilterChains {
			for _, filter := range chain.Filters {
				if filter.Name != "envoy.filters.network.http_connection_manager" {
					continue
				}
				managers++
				if mappers := len(filter.TypedConfig.LocalReplyConfig.Mappers); mappers != 2 {
					t.Errorf("%s has %d mappers", listener.Name, mappers)
				}
			}
		}
	}
	if managers == 0 {
		t.Error("Envoy has no listeners for HTTP")
	}
}

// longRequestsAreRetried checks every route of the running Envoy: it retries a request only if its body fits into the buffer
// of the virtual host.
func longRequestsAreRetried(t *testing.T) {
	t.Helper()
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
	configDump(t, "dynamic_route_configs", &dump)
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

// keepsConnectionsAlive checks that the running Envoy notices a dead peer of a cluster.
func keepsConnectionsAlive(t *testing.T, name string) {
	t.Helper()
	var dump struct {
		Configs []struct {
			Cluster struct {
				Name    string
				Options struct {
					Keepalive struct {
						Time int `json:"keepalive_time"`
					} `json:"tcp_keepalive"`
				} `json:"upstream_connection_options"`
			}
		}
	}
	configDump(t, "dynamic_active_clusters", &dump)
	for _, config := range dump.Configs {
		if config.Cluster.Name == name {
			if seconds := config.Cluster.Options.Keepalive.Time; seconds != 60 {
				t.Errorf("%s has the keepalive time %d", name, seconds)
			}
			return
		}
	}
	t.Errorf("Envoy has no cluster %s", name)
}

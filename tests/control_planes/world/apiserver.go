package world

import (
	"encoding/json"
	"net"
	"net/http"
	"testing"
	"time"
)

// watched are the kinds that an endpoint picker watches.
var watched = []struct{ path, groupVersion, kind, plural string }{
	{"/api/v1", "v1", "Pod", "pods"},
	{"/apis/inference.networking.k8s.io/v1", "inference.networking.k8s.io/v1", "InferencePool", "inferencepools"},
}

// startAPIServer serves these objects as the API server of a cluster does in which nothing changes.
func startAPIServer(t *testing.T, address string, objects []Object) {
	t.Helper()
	mux := http.NewServeMux()
	reply := func(path string, fields map[string]any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { send(w, fields) })
	}
	reply("/api", map[string]any{"kind": "APIVersions", "versions": []string{"v1"}})
	inference := map[string]any{"groupVersion": "inference.networking.k8s.io/v1", "version": "v1"}
	reply("/apis", map[string]any{"kind": "APIGroupList", "groups": []any{map[string]any{
		"name": "inference.networking.k8s.io", "versions": []any{inference}, "preferredVersion": inference,
	}}})
	for _, kind := range watched {
		reply(kind.path, map[string]any{"kind": "APIResourceList", "groupVersion": kind.groupVersion, "resources": []any{map[string]any{
			"name": kind.plural, "kind": kind.kind, "namespaced": true, "verbs": []string{"get", "list", "watch"},
		}}})
		var items []map[string]any
		for _, object := range objects {
			if object.Kind == kind.kind {
				var fields map[string]any
				object.Into(t, &fields)
				fields["metadata"].(map[string]any)["resourceVersion"] = "1"
				items = append(items, fields)
			}
		}
		mux.HandleFunc(kind.path+"/namespaces/models/"+kind.plural, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("watch") == "" {
				send(w, map[string]any{
					"kind": kind.kind + "List", "apiVersion": kind.groupVersion, "items": items, "metadata": map[string]any{"resourceVersion": "1"},
				})
				return
			}
			if r.URL.Query().Get("sendInitialEvents") == "true" {
				for _, item := range items {
					send(w, map[string]any{"type": "ADDED", "object": item})
				}
				send(w, map[string]any{"type": "BOOKMARK", "object": map[string]any{
					"kind": kind.kind, "apiVersion": kind.groupVersion,
					"metadata": map[string]any{"resourceVersion": "1", "annotations": map[string]string{"k8s.io/initial-events-end": "true"}},
				}})
			}
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
	}
	serve(t, address, mux)
}

func send(w http.ResponseWriter, fields map[string]any) {
	w.Header().Set("content-type", "application/json")
	_ = json.NewEncoder(w).Encode(fields)
}

// serve answers at the address until the test ends.
func serve(t *testing.T, address string, handler http.Handler) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	t.Cleanup(func() { server.Close() })
	go server.Serve(listener)
}

package istio

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"transponder/control_planes/world"
)

// Where the Deployment of external-host.yaml mounts its Secret.
const mountPath = "/etc/transponder/together-key"

// mountKey mounts the Secret with this key as kubelet does, or changes the mounted one: the files are reached through a
// link that is replaced atomically.
func mountKey(t *testing.T, key string) {
	t.Helper()
	var secret struct{ StringData map[string]string }
	for _, object := range world.Apply(t, "istio/external-host.yaml") {
		if object.Kind == "Secret" {
			object.Into(t, &secret)
		}
	}
	version := "..of-" + key
	for file, text := range secret.StringData {
		world.Write(t, filepath.Join(mountPath, version, file), strings.ReplaceAll(text, world.Key, key))
		link := filepath.Join(mountPath, file)
		if _, err := os.Lstat(link); err == nil {
			continue
		}
		if err := os.Symlink(filepath.Join("..data", file), link); err != nil {
			t.Fatal(err)
		}
	}
	next := filepath.Join(mountPath, "..data_tmp")
	if err := os.Symlink(version, next); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(mountPath, "..data")); err != nil {
		t.Fatal(err)
	}
}

// takesNewKey changes the Secret of a running gateway. Envoy does not restart, and every request has a key.
func takesNewKey(t *testing.T, call world.Call) {
	t.Helper()
	mountKey(t, "the-next-key")
	defer mountKey(t, world.Key)
	world.Eventually(t, "the new key", func() error {
		call.Upstream.Script(t, map[string]any{})
		if status, text := call.Ask(t); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		switch key := call.Upstream.Requests(t)[0].Headers["authorization"]; key {
		case "Bearer the-next-key":
			return nil
		case "Bearer " + world.Key:
			return fmt.Errorf("still the old one")
		default:
			t.Fatalf("the upstream saw %q", key)
			return nil
		}
	})
}

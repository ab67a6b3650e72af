package istio

import (
	"fmt"
	"net/http"
	"testing"

	"transponder/control_planes/world"
)

// Where the Deployment of external-host.yaml mounts its Secret.
const mountPath = "/etc/transponder/together-key"

func mountKey(t *testing.T, key string) {
	t.Helper()
	world.MountSecret(t, "istio/external-host.yaml", mountPath, key)
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

package envoygateway

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	envoygateway "github.com/envoyproxy/gateway"
	"sigs.k8s.io/kubectl-validate/pkg/openapiclient"
	"sigs.k8s.io/kubectl-validate/pkg/validator"

	"transponder/control_planes/world"
)

// The CRDs are those that Envoy Gateway itself checks objects with, so they know its newest fields.
func crds(t *testing.T) *validator.Validator {
	t.Helper()
	files := fstest.MapFS{"crds.yaml": {Data: envoygateway.GatewayCRDs}}
	crds, err := validator.New(openapiclient.NewLocalCRDFiles(files))
	if err != nil {
		t.Fatal(err)
	}
	return crds
}

// accepted is nil if the API server would accept the object and know all of its fields.
func accepted(crds *validator.Validator, text string) error {
	_, object, err := crds.Parse([]byte(text))
	if err != nil {
		return err
	}
	return crds.Validate(object)
}

func TestTheCRDsAcceptEveryManifest(t *testing.T) {
	crds := crds(t)
	files, err := filepath.Glob(filepath.Join(world.Project(t), "envoy/gateway/*.yaml"))
	if err != nil || len(files) < 4 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		for _, object := range world.Apply(t, filepath.Join("gateway", filepath.Base(file))) {
			// Those of Kubernetes itself have no CRD.
			if !strings.Contains(object.APIVersion, "/") {
				continue
			}
			if err := accepted(crds, object.Text); err != nil {
				t.Errorf("%s: %s %s: %v", filepath.Base(file), object.Kind, object.Metadata.Name, err)
			}
		}
	}
}

func TestTheCRDsNoticeAWrongValueAndAnUnknownField(t *testing.T) {
	crds := crds(t)
	policy := func(module string) string {
		return `apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: p, namespace: models}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: models}]
  dynamicModule: [` + module + `]`
	}
	if err := accepted(crds, policy(`{name: transponder}`)); err != nil {
		t.Error(err)
	}
	for wrong, said := range map[string]string{
		`{name: Transponder}`:                               "dynamicModule[0].name",
		`{name: transponder, metricsNamespace: wasmcustom}`: "metricsNamespace",
	} {
		if err := accepted(crds, policy(wrong)); err == nil || !strings.Contains(err.Error(), said) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

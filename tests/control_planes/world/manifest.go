package world

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// Object is a Kubernetes object: the fields that the tests need, and its text.
type Object struct {
	APIVersion string
	Kind       string
	Metadata   struct{ Name string }
	Text       string `json:"-"`
}

// Istios reports whether the object belongs to one of Istio's own APIs.
func (o Object) Istios() bool { return strings.Contains(o.APIVersion, "istio.io/") }

// Apply reads files below envoy/, one after the other.
func Apply(t *testing.T, files ...string) []Object {
	t.Helper()
	var objects []Object
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(Project(t), "envoy", file))
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, Parse(t, string(text))...)
	}
	return objects
}

// Parse reads the YAML documents of a text.
func Parse(t *testing.T, text string) []Object {
	t.Helper()
	var objects []Object
	for document := range strings.SplitSeq(text, "\n---\n") {
		object := Object{Text: document}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
	return objects
}

// Join is the reverse of Parse.
func Join(objects []Object) string {
	texts := make([]string, len(objects))
	for i, object := range objects {
		texts[i] = object.Text
	}
	return strings.Join(texts, "\n---\n")
}

// Into decodes the whole object.
func (o Object) Into(t *testing.T, value any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(o.Text), value); err != nil {
		t.Fatal(err)
	}
}

package world

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// MountSecret mounts the manifest's Secret with this key as kubelet does, or changes the mounted one: the files are reached through a
// link that is replaced atomically.
func MountSecret(t *testing.T, manifest, path, key string) {
	t.Helper()
	var secret struct{ StringData map[string]string }
	for _, object := range Apply(t, manifest) {
		if object.Kind == "Secret" {
			object.Into(t, &secret)
		}
	}
	version := "..of-" + key
	for file, text := range secret.StringData {
		Write(t, filepath.Join(path, version, file), strings.ReplaceAll(text, Key, key))
		link := filepath.Join(path, file)
		if _, err := os.Lstat(link); err == nil {
			continue
		}
		if err := os.Symlink(filepath.Join("..data", file), link); err != nil {
			t.Fatal(err)
		}
	}
	next := filepath.Join(path, "..data_tmp")
	if err := os.Symlink(version, next); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(path, "..data")); err != nil {
		t.Fatal(err)
	}
}

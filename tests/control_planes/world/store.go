package world

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const (
	storeName    = "s3.internal"
	storeAddress = "10.0.0.19"
	storeKeyID   = "REPLACE-WITH-THE-ID"
)

// StartStore runs a server of S3's API that checks every signature, under the name and with the bucket and the key of the manifests.
func (w *World) StartStore(t *testing.T) {
	t.Helper()
	buckets := t.TempDir()
	if err := os.Mkdir(filepath.Join(buckets, "responses"), 0o755); err != nil {
		t.Fatal(err)
	}
	address := storeAddress + ":9000"
	Start(t, "s3s-fs", exec.Command(os.Getenv("TRANSPONDER_S3"),
		"--host", storeAddress, "--port", "9000", "--access-key", storeKeyID, "--secret-key", Key, buckets))
	awaitPort(t, address)
	Name(t, storeAddress, storeName)
	serveTLS(t, w.authority, storeName, storeAddress, proxyTo(address))
}

package world

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
)

// Tunnel dials through a waypoint as ztunnel does for a client in the mesh: with HTTP/2's CONNECT over mTLS (HBONE).
func (w *World) Tunnel(t *testing.T, waypoint, identity string) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
		Certificates:       []tls.Certificate{w.authority.Certify(t, "client", identity)},
		InsecureSkipVerify: true, // A waypoint's certificate has no DNS name.
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return func(_ context.Context, _, address string) (net.Conn, error) {
		near, far := net.Pipe()
		answer, err := transport.RoundTrip(&http.Request{
			Method: http.MethodConnect, URL: &url.URL{Scheme: "https", Host: waypoint}, Host: address, Header: http.Header{},
			Body: io.NopCloser(far), // it is closed when the answer ends, below
		})
		if err != nil {
			return nil, err
		}
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("CONNECT %s: %s", address, answer.Status)
		}
		go func() {
			_, _ = io.Copy(far, answer.Body)
			_ = far.Close()
		}()
		return near, nil
	}
}

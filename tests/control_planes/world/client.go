package world

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The key in the Secrets of the manifests, and the one that a client sends.
const (
	Key        = "REPLACE-WITH-THE-KEY"
	ClientsKey = "sk-of-the-client"
)

// Call is a request for a tool call, and its expected result.
type Call struct {
	// Dial is how the client connects, if it is not simply by TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Address is where the client connects, Host the value of its `Host:` header.
	Address, Host, Model string
	// Padding is how many bytes the instructions have: by default more than the buffers that control planes configure.
	Padding int
	// Session is the conversation's id, if it has one.
	Session string
	// Upstream is the server that must receive the request, SeenAs and Key its `Host:` header and its key.
	Upstream    *Upstream
	SeenAs, Key string
}

// Serves fails the test unless the call comes back complete and the request reached the upstream as Chat Completions.
func (c Call) Serves(t *testing.T) {
	t.Helper()
	c.Upstream.Script(t, map[string]any{"replies": []any{map[string]any{"tool_calls": []any{
		map[string]any{"id": "call_1", "name": "shell", "arguments": map[string]any{"command": "ls"}},
	}}}})
	status, text := c.Ask(t)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	output, _ := completed(text)["output"].([]any)
	if len(output) != 1 {
		t.Fatalf("no single item in\n%s", text)
	}
	if item := output[0].(map[string]any); item["type"] != "function_call" || item["arguments"] != `{"command":"ls"}` {
		t.Errorf("the item is %v", item)
	}
	if strings.Contains(text, Key) {
		t.Error("the client sees the provider's key")
	}
	requests := c.Upstream.Requests(t)
	if len(requests) != 1 {
		t.Fatalf("the upstream saw %d requests", len(requests))
	}
	seen := requests[0]
	for what, pair := range map[string][2]string{
		"path":                   {seen.Path, "/v1/chat/completions"},
		"host":                   {seen.Headers["host"], c.SeenAs},
		"authorization":          {seen.Headers["authorization"], "Bearer " + c.Key},
		"x-transponder-upstream": {seen.Headers["x-transponder-upstream"], ""},
	} {
		if pair[0] != pair[1] {
			t.Errorf("the upstream saw the %s %q, not %q", what, pair[0], pair[1])
		}
	}
}

// Answers waits until the control plane has set up its proxy.
func (c Call) Answers(t *testing.T) {
	t.Helper()
	c.Upstream.Script(t, map[string]any{})
	Eventually(t, "the proxy", func() error {
		if status, text := c.Ask(t); status != http.StatusOK {
			return fmt.Errorf("%d %s", status, text)
		}
		return nil
	})
}

// completed is the response in the last event of a stream, or nil.
func completed(text string) map[string]any {
	for line := range strings.SplitSeq(text, "\n") {
		data, ok := strings.CutPrefix(line, "data: ")
		var event struct {
			Type     string
			Response map[string]any
		}
		if ok && json.Unmarshal([]byte(data), &event) == nil && event.Type == "response.completed" {
			return event.Response
		}
	}
	return nil
}

// Ask sends a request.
func (c Call) Ask(t *testing.T) (int, string) {
	t.Helper()
	return c.ask(t, map[string]any{"input": "Which files?"})
}

// ask sends a request with these fields.
func (c Call) ask(t *testing.T, fields map[string]any) (int, string) {
	t.Helper()
	request := map[string]any{
		"model": c.Model, "stream": true, "instructions": strings.Repeat("x", cmp.Or(c.Padding, 3<<20)),
		"tools": []any{map[string]any{"type": "function", "name": "shell", "parameters": map[string]any{"type": "object"}}},
	}
	maps.Copy(request, fields)
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	post, err := http.NewRequest(http.MethodPost, "http://"+c.Address+"/v1/responses", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	post.Host = c.Host
	post.Header.Set("content-type", "application/json")
	post.Header.Set("authorization", "Bearer "+ClientsKey)
	if c.Session != "" {
		post.Header.Set("session-id", c.Session)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: c.Dial}, Timeout: time.Minute}
	response, err := client.Do(post)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// Get is the body of a GET that succeeds.
func Get(t *testing.T, url string) string {
	t.Helper()
	text, err := get(url)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func get(url string) (string, error) {
	client := http.Client{Timeout: time.Minute}
	response, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return string(text), err
}

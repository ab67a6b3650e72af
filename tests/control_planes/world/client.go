package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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
	// Address is where the client connects, Host the value of its `Host:` header.
	Address, Host, Model string
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
	call := ""
	for line := range strings.SplitSeq(text, "\n") {
		data, ok := strings.CutPrefix(line, "data: ")
		var event struct {
			Type     string
			Response struct{ Output []map[string]any }
		}
		if ok && json.Unmarshal([]byte(data), &event) == nil && event.Type == "response.completed" {
			item := event.Response.Output[0]
			call, _ = item["type"].(string)
			if item["arguments"] != `{"command":"ls"}` {
				t.Errorf("arguments: %v", item["arguments"])
			}
		}
	}
	if call != "function_call" {
		t.Errorf("the output is %q in\n%s", call, text)
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

// Ask sends the request, which is longer than the buffers that control planes configure by default.
func (c Call) Ask(t *testing.T) (int, string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"model": c.Model, "input": "Which files?", "stream": true, "instructions": strings.Repeat("x", 3<<20),
		"tools": []any{map[string]any{"type": "function", "name": "shell", "parameters": map[string]any{"type": "object"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, "http://"+c.Address+"/v1/responses", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = c.Host
	request.Header.Set("content-type", "application/json")
	request.Header.Set("authorization", "Bearer "+ClientsKey)
	if c.Session != "" {
		request.Header.Set("session-id", c.Session)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	response, err := client.Do(request)
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
	client := http.Client{Timeout: time.Minute}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d %v", url, response.StatusCode, err)
	}
	return string(text)
}

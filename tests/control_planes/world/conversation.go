package world

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// GoesOn fails the test unless a second turn goes on from the first, which it only names.
func (c Call) GoesOn(t *testing.T) {
	t.Helper()
	c.Upstream.Script(t, map[string]any{"replies": []any{map[string]any{"text": "a and b"}, map[string]any{"text": "a"}}})
	first := c.turn(t, map[string]any{"input": "Which files?"})
	c.turn(t, map[string]any{"input": "Which is older?", "previous_response_id": first})
	requests := c.Upstream.Requests(t)
	var body struct {
		Messages []struct{ Role, Content string }
	}
	if err := json.Unmarshal(requests[len(requests)-1].Body, &body); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, message := range body.Messages[1:] { // The first has the instructions.
		seen = append(seen, fmt.Sprint(message.Role, ": ", message.Content))
	}
	if !slices.Equal(seen, []string{"user: Which files?", "assistant: a and b", "user: Which is older?"}) {
		t.Errorf("the upstream saw %q", seen)
	}
}

// turn is the id of the response, which must be stored.
func (c Call) turn(t *testing.T, fields map[string]any) string {
	t.Helper()
	status, text := c.ask(t, fields)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	response := completed(text)
	if response["store"] != true {
		t.Fatalf("not stored: %s", text)
	}
	return response["id"].(string)
}

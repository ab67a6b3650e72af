package world

import (
	"fmt"
	"testing"
)

// Replica is the address of a second server behind the Service `vllm`.
const Replica = "10.0.0.8"

// StartReplica starts the second server.
func (w *World) StartReplica(t *testing.T) *Upstream {
	t.Helper()
	return startUpstream(t, Replica+":8000")
}

// KeepsConversations sends the turns of several conversations, and fails the test unless each stays at one of the upstreams, and
// each upstream gets some.
func (c Call) KeepsConversations(t *testing.T, upstreams ...*Upstream) {
	t.Helper()
	for _, upstream := range upstreams {
		upstream.Script(t, map[string]any{})
	}
	const conversations, turns = 12, 3
	for turn := range turns {
		for conversation := range conversations {
			c.Session = fmt.Sprintf("conversation-%d", conversation)
			if status, text := c.Ask(t); status != 200 {
				t.Fatalf("turn %d: %d %s", turn, status, text)
			}
		}
	}
	total := 0
	for _, upstream := range upstreams {
		seen := map[string]int{}
		for _, request := range upstream.Requests(t) {
			seen[request.Headers["x-transponder-session"]]++
		}
		if len(seen) == 0 {
			t.Error("an upstream got no conversation")
		}
		for session, count := range seen {
			if session == "" || count != turns {
				t.Errorf("an upstream got %d turns of the conversation %q", count, session)
			}
		}
		total += len(seen)
	}
	if total != conversations {
		t.Errorf("%d conversations at all upstreams together", total)
	}
}

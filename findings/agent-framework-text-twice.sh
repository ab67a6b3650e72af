#!/usr/bin/env bash
# Microsoft Agent Framework's streamed updates hold the answer twice, and only a field that `text` hides tells which one counts.
#
# Software: agent-framework-openai 1.17.0 with agent-framework-core 1.23.0 (PyPI), `Agent` with `OpenAIChatClient`, the class for the
# Responses API. The server below streams one answer in two deltas, with the events and in the order of the API.
# Input: `agent.run(question, stream=True)`; once the texts of the updates are joined as they come, once the stream's
# `get_final_response()` is asked.
# Expected by most readers: both are "It is sunny.". `print(update.text, end="")` is how a streamed answer is shown.
# Seen: the joined texts are "It is sunny.It is sunny.". The event `response.output_text.done`, which repeats the text for clients
# that want it whole, becomes an update like those of the deltas. Its content says `merge_mode="replace"`, theirs say "append";
# `update.text` does not. The final response honours the field and is right. The server cannot avoid this: the event belongs
# to the API. A reader of updates has to look at the `merge_mode` of each content.
set -euo pipefail

work=$(mktemp -d)
server_pid=
trap '[[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
"$work/venv/bin/uv" pip install --quiet --python "$work/venv/bin/python" agent-framework-openai==1.17.0 agent-framework-core==1.23.0 openai==3.57.0

cat >"$work/server.py" <<'PYTHON'
import http.server
import json

DELTAS = ["It is", " sunny."]
PART = {"type": "output_text", "text": "".join(DELTAS), "annotations": [], "logprobs": []}
ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [PART]}
USAGE = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m", "output": [ITEM], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": USAGE}
BEGUN = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
AT = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
EVENTS = [
    {"type": "response.created", "response": BEGUN},
    {"type": "response.in_progress", "response": BEGUN},
    {"type": "response.output_item.added", "output_index": 0, "item": {**ITEM, "status": "in_progress", "content": []}},
    {"type": "response.content_part.added", **AT, "part": {**PART, "text": ""}},
    *({"type": "response.output_text.delta", **AT, "delta": delta, "logprobs": []} for delta in DELTAS),
    {"type": "response.output_text.done", **AT, "text": PART["text"], "logprobs": []},
    {"type": "response.content_part.done", **AT, "part": PART},
    {"type": "response.output_item.done", "output_index": 0, "item": ITEM},
    {"type": "response.completed", "response": RESPONSE},
]
LINES = [f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n" for number, event in enumerate(EVENTS)]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = "".join(LINES).encode()
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

cat >"$work/agent.py" <<'PYTHON'
import asyncio
import sys

from agent_framework import Agent
from agent_framework.openai import OpenAIChatClient
from openai import AsyncOpenAI


async def main():
    client = AsyncOpenAI(base_url=sys.argv[1], api_key="key", max_retries=0)
    agent = Agent(client=OpenAIChatClient(model="m", async_client=client), instructions="Tell the weather.")
    stream = agent.run("How is the weather?", stream=True)
    joined = ""
    async for update in stream:
        if update.text:
            print(f"update {update.text!r}, {', '.join(str(content.merge_mode) for content in update.contents)}")
        joined += update.text
    print(f"joined {joined!r}")
    print(f"final {(await stream.get_final_response()).text!r}")


asyncio.run(main())
PYTHON

timeout 300 python3 "$work/server.py" >"$work/port" &
server_pid=$!
for _ in $(seq 100); do
  [[ -s $work/port ]] && break
  sleep 0.1
done

seen=$(HOME=$work timeout 180 "$work/venv/bin/python" "$work/agent.py" "http://127.0.0.1:$(cat "$work/port")/v1" 2>"$work/log") || {
  tail -5 "$work/log"
  exit 1
}
echo "$seen"
[[ $seen == "update 'It is', append
update ' sunny.', append
update 'It is sunny.', replace
joined 'It is sunny.It is sunny.'
final 'It is sunny.'" ]]

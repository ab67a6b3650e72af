#!/usr/bin/env bash
# Semantic Kernel's Responses agent refers to the previous response, and sends the question and the outputs again.
#
# Software: semantic-kernel 1.45.0 (PyPI), `OpenAIResponsesAgent` with its defaults, one plugin. The server below keeps
# conversations as the API documents it: the context of a request is the input and the output of the response that
# `previous_response_id` names, followed by the request's own `input`.
# Input: one question, for which the model calls the tool twice, one call after the other.
# Expected by most readers: with `previous_response_id` a request holds only what is new, the output of the last call. The
# model sees the question once, and each call with its output.
# Seen: each request of the tool loop names the previous response, and holds the question and all outputs so far. The calls
# themselves are left out. So the model sees the question three times when it answers, and the output of the first
# call twice, the second time behind another call. A server that keeps conversations bills all of this.
# With `store_enabled=False` the agent sends the whole conversation, as it must, but the question twice, one behind the other: once
# from the thread, once from the turn.
set -euo pipefail

work=$(mktemp -d)
server_pid=
trap '[[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
"$work/venv/bin/uv" pip install --quiet --python "$work/venv/bin/python" semantic-kernel==1.45.0 openai==3.57.0

cat >"$work/server.py" <<'PYTHON'
import http.server
import json

USAGE = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}
TEXT = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "Sunny.", "annotations": [], "logprobs": []}]}
CITIES = {"one": "Paris", "two": "Lyon"}
kept = {}


def call(number):
    arguments = json.dumps({"city": CITIES[number]})
    return {"type": "function_call", "id": f"fc_{number}", "call_id": number, "name": "Weather-get_weather", "arguments": arguments, "status": "completed"}


def brief(item):
    kind = item.get("type", "message")
    if kind == "message":
        return "question" if item["role"] == "user" else "answer"
    return f"{'call' if kind == 'function_call' else 'output'} {item['call_id']}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        previous = request.get("previous_response_id")
        context = [*kept.get(previous, []), *request["input"]]
        print(f"previous {previous}: sends {', '.join(map(brief, request['input']))}; the model sees {', '.join(map(brief, context))}", flush=True)
        answered = {item["call_id"] for item in context if item.get("type") == "function_call_output"}
        output = next(([call(number)] for number in CITIES if number not in answered), [TEXT])
        response_id = f"resp_{len(kept) + 1}"
        kept[response_id] = context + output
        body = {"id": response_id, "object": "response", "created_at": 1, "status": "completed", "model": "m", "output": output, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": USAGE}
        body = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
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

from openai import AsyncOpenAI
from semantic_kernel.agents import OpenAIResponsesAgent
from semantic_kernel.functions import kernel_function


class Weather:
    @kernel_function(name="get_weather", description="Tells the weather of a city.")
    def get_weather(self, city: str) -> str:
        return f"{city}: sunny"


async def main():
    _, url, *options = sys.argv
    stored = {"store_enabled": False} if options == ["unstored"] else {}
    client = AsyncOpenAI(base_url=url, api_key="key", max_retries=0)
    agent = OpenAIResponsesAgent(ai_model_id="m", client=client, name="Forecaster", instructions="Tell the weather.", plugins=[Weather()], **stored)
    answer = await agent.get_response(messages="How is the weather in Paris and in Lyon?")
    assert answer.message.content == "Sunny.", answer


asyncio.run(main())
PYTHON

timeout 400 python3 "$work/server.py" >"$work/asked" &
server_pid=$!
for _ in $(seq 100); do
  [[ -s $work/asked ]] && break
  sleep 0.1
done

ask() { # nothing or "unstored": what the server was asked
  local before
  before=$(wc -l <"$work/asked")
  HOME=$work timeout 180 "$work/venv/bin/python" "$work/agent.py" "http://127.0.0.1:$(head -1 "$work/asked")/v1" "$@" >"$work/log" 2>&1 || {
    tail -5 "$work/log"
    exit 1
  }
  tail -n +$((before + 1)) "$work/asked"
}
defaults=$(ask)
unstored=$(ask unstored)
printf '%s\n%s\n\n' "defaults:" "$defaults" "store_enabled=False:" "$unstored"

[[ $defaults == "previous None: sends question; the model sees question
previous resp_1: sends question, output one; the model sees question, call one, question, output one
previous resp_2: sends question, output one, output two; the model sees question, call one, question, output one, call two, question, output one, output two" ]]
[[ $unstored == "previous None: sends question, question; the model sees question, question"* ]]
[[ $(tail -1 <<<"$unstored") == *"the model sees question, question, call one, output one, call two, output two" ]]

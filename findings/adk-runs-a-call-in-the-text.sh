#!/usr/bin/env bash
# Google's ADK runs a tool call that the model only quoted in its answer, and cuts it out of the answer.
#
# Software: google-adk 2.13.0 with litellm 1.110.2 (PyPI): an `Agent` with the tool `look_up` and the model class `LiteLlm`, which is ADK's way to
# every model that is not Gemini. The server below speaks Chat Completions and never makes a call.
# Input: a reply without `tool_calls`, whose text is "A client would send {"name": "look_up", "arguments": {"city": "Paris"}}, but I did not."
# Once as one document, once as a stream that splits the JSON.
# Expected by most readers: tools run when the API says that the model called them, in `tool_calls`. The text is the answer.
# Seen: the tool runs, with Paris. If a reply has no calls, ADK looks for JSON anywhere in its text, and an object with a `name` and with `arguments` is a
# call, with an identifier that ADK makes up. The rest, "A client would send , but I did not.", stays as the text. In the next request the
# model reads that it made the call. The parser is meant for servers that leave calls in the text; there is no option to
# switch it off, and it works the same for servers that report calls properly, and within quotations and code. So an agent must not
# explain, document or review tool calls.
set -euo pipefail

work=$(mktemp -d)
server_pid=
trap '[[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
"$work/venv/bin/uv" pip install --quiet --python "$work/venv/bin/python" google-adk==2.13.0 litellm==1.110.2

cat >"$work/server.py" <<'PYTHON'
import http.server
import json

PIECES = ['A client would send {"name": "look_up", ', '"arguments": {"city": "Paris"}}', ", but I did not."]
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def chunk(delta, finish=None):
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        pieces = PIECES
        for message in request["messages"]:
            for call in message.get("tool_calls") or []:
                print(f"the next request says {message['content']!r} and calls {call['function']['name']} {call['function']['arguments']}", flush=True)
                pieces = ["Right."]
        if request.get("stream"):
            chunks = [*(chunk({"role": "assistant", "content": piece}) for piece in pieces), {**chunk({}, "stop"), "usage": USAGE}]
            body = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": "".join(pieces)}, "finish_reason": "stop"}
            body = json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE})
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
import asyncio
import sys

from google.adk.agents import Agent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types


def look_up(city: str) -> str:
    """Looks up the weather of a city."""
    print(f"looked up {city}")
    return "sunny"


async def main():
    question = types.Content(role="user", parts=[types.Part(text="What would a client send to look up Paris? Do not do it.")])
    for mode in [StreamingMode.NONE, StreamingMode.SSE]:
        print(f"{mode.name}:")
        agent = Agent(name="helper", model=LiteLlm(model="openai/m", api_base=sys.argv[1], api_key="key"), tools=[look_up])
        runner = InMemoryRunner(agent=agent, app_name="app")
        session = await runner.session_service.create_session(app_name="app", user_id="user")
        async for event in runner.run_async(user_id="user", session_id=session.id, new_message=question, run_config=RunConfig(streaming_mode=mode)):
            for part in event.content.parts if event.content and not event.partial else []:
                if part.text:
                    print(f"text {part.text!r}")


asyncio.run(main())
PYTHON

timeout 300 python3 "$work/server.py" >"$work/asked" &
server_pid=$!
for _ in $(seq 100); do
  [[ -s $work/asked ]] && break
  sleep 0.1
done

# LiteLLM would ask the network for a list of prices.
seen=$(HOME=$work LITELLM_LOCAL_MODEL_COST_MAP=True timeout 180 "$work/venv/bin/python" -W ignore "$work/agent.py" "http://127.0.0.1:$(head -1 "$work/asked")/v1" 2>"$work/log") || {
  tail -5 "$work/log"
  exit 1
}
asked=$(tail -n +2 "$work/asked")
printf '%s\n' "$seen" "$asked"
ran="text 'A client would send , but I did not.'
looked up Paris
text 'Right.'"
[[ $seen == "NONE:
$ran
SSE:
$ran" ]]
history="the next request says 'A client would send , but I did not.' and calls look_up {\"city\": \"Paris\"}"
[[ $asked == "$history
$history" ]]

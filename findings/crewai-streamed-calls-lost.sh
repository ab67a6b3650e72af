#!/usr/bin/env bash
# CrewAI reads the tool calls of a streamed Responses reply, and throws them away.
#
# Software: CrewAI 1.15.30 (PyPI), `LLM(api="responses")`, an agent with one tool. The server below speaks the Responses
# API: it calls the tool, and answers when it has the output.
# Input: the same agent and the same question, once with `stream=False`, once with `stream=True`.
# Expected by most readers: both run the tool and say "Sunny.".
# Seen: without a stream the tool runs. With a stream the call arrives in `response.output_item.done`, CrewAI collects it,
# and returns only the text of the reply, because the branch that hands calls to the agent's own loop exists in
# `_handle_responses` but not in `_handle_streaming_responses`. The text is empty, so the agent fails with "Invalid
# response from LLM call - None or empty." If the model says a word before the call, that word is the final answer, the
# tool never runs, and nothing fails. The events are complete and in order: a proxy cannot repair this, except by
# answering without a stream.
set -euo pipefail

work=$(mktemp -d)
server_pid=
trap '[[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
"$work/venv/bin/uv" pip install --quiet --python "$work/venv/bin/python" crewai==1.15.30

cat >"$work/server.py" <<'PYTHON'
import http.server
import json

CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "get_weather", "arguments": "{\"city\": \"Paris\"}", "status": "completed"}
TEXT = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "Sunny.", "annotations": [], "logprobs": []}]}
PROSE = {**TEXT, "id": "msg_0", "content": [{**TEXT["content"][0], "text": "Let me look."}]}
USAGE = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answered = any(item.get("type") == "function_call_output" for item in request["input"])
        items = [TEXT] if answered else [PROSE, CALL] if request["model"] == "talkative" else [CALL]
        response = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m", "output": items, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": USAGE}
        begun = {**response, "status": "in_progress", "output": []}
        events = [{"type": "response.created", "response": begun}]
        for index, item in enumerate(items):
            at = {"item_id": item["id"], "output_index": index}
            events.append({"type": "response.output_item.added", "output_index": index, "item": item})
            if item["type"] == "message":
                text = item["content"][0]["text"]
                events.append({"type": "response.output_text.delta", **at, "content_index": 0, "delta": text, "logprobs": []})
            else:
                events.append({"type": "response.function_call_arguments.delta", **at, "delta": item["arguments"]})
                events.append({"type": "response.function_call_arguments.done", **at, "name": item["name"], "arguments": item["arguments"]})
            events.append({"type": "response.output_item.done", "output_index": index, "item": item})
        events.append({"type": "response.completed", "response": response})
        lines = (f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n" for number, event in enumerate(events))
        stream = bool(request.get("stream"))
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

cat >"$work/agent.py" <<'PYTHON'
import sys

from crewai import LLM, Agent
from crewai.tools import tool

ran = []


@tool("get_weather")
def get_weather(city: str) -> str:
    """Tells the weather of a city."""
    ran.append(city)
    return f"{city}: sunny"


_, url, mode, model = sys.argv
llm = LLM(model=f"openai/{model}", api="responses", base_url=url, api_key="key", stream=mode == "stream")
agent = Agent(role="Forecaster", goal="Tell the weather.", backstory="You know it.", llm=llm, tools=[get_weather])
try:
    said = agent.kickoff("How is the weather in Paris?").raw
except Exception as error:
    said = f"{type(error).__name__}: {error}"
print(f"RESULT {mode}, {model}: tool ran for {ran}, answer {said!r}")
PYTHON

timeout 300 python3 "$work/server.py" >"$work/port" &
server_pid=$!
for _ in $(seq 100); do
  [[ -s $work/port ]] && break
  sleep 0.1
done

ask() { # whole or stream, the model
  HOME=$work CREWAI_DISABLE_TELEMETRY=true OTEL_SDK_DISABLED=true timeout 120 "$work/venv/bin/python" "$work/agent.py" \
    "http://127.0.0.1:$(cat "$work/port")/v1" "$1" "$2" 2>"$work/log" | grep -o "RESULT.*'"
}
whole=$(ask whole talkative)
silent=$(ask stream silent)
talkative=$(ask stream talkative)
printf '%s\n' "$whole" "$silent" "$talkative"
[[ $whole == *"tool ran for ['Paris'], answer 'Sunny.'" ]]
[[ $silent == *"tool ran for [], answer"*"None or empty"* ]]
[[ $talkative == *"tool ran for [], answer 'Let me look.'" ]]

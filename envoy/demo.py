#!/usr/bin/env python3
"""Shows one exchange through a real Envoy from both ends (`make demo`).

Starts the scripted upstream and Envoy on free ports and sends a streaming Responses request that offers a tool.
Prints what the client sent, what the upstream received and what the client got. The exit code is 0 only if the
client got a completed call of the tool.
"""

import http.client
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

sys.dont_write_bytecode = True
import run
import scripted_upstream

REQUEST = {
    "model": "example-model",
    "stream": True,
    "instructions": "You are a coding agent. Use the tools.",
    "input": [
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Which files are here?"}],
        }
    ],
    "tools": [
        {
            "type": "function",
            "name": "shell",
            "description": "Runs a shell command and returns its output.",
            "strict": False,
            "parameters": {
                "type": "object",
                "properties": {"command": {"type": "string"}},
                "required": ["command"],
            },
        }
    ],
    "tool_choice": "auto",
    "store": False,
}


def ask(address, body):
    url = urlsplit(f"//{address}")
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    headers = {"content-type": "application/json", "accept": "text/event-stream"}
    connection.request("POST", "/v1/responses", body, headers)
    return connection.getresponse()


def listener_address(admin_file, envoy):
    """Waits until Envoy serves. Returns the address, whose port Envoy has chosen."""
    if found := run.wait_until_ready(envoy, admin_file):
        return found[0]
    run.fail("Envoy did not start")


def title(text):
    print(f"\n=== {text} {'=' * (94 - len(text))}", flush=True)


def show(value):
    print(json.dumps(value, indent=2, ensure_ascii=False))


def read_events(response):
    """Prints each event on one line as it arrives and yields its name and data."""
    for line in response:
        if not line.startswith(b"data:"):
            continue
        data = line[5:].decode().strip()
        try:
            event = json.loads(data)
        except ValueError:
            print(data)  # [DONE]
            continue
        name = event.pop("type", "?")
        event.pop("sequence_number", None)
        # These events carry the full response, whose output is printed at the end.
        rest = event["response"].get("status") if "response" in event else json.dumps(event, ensure_ascii=False)
        print(f"{name:<40} {rest if len(rest) <= 110 else rest[:107] + '...'}", flush=True)
        yield name, event


def exchange(envoy_address, upstream):
    """Returns whether the client got a completed call of its tool."""
    title("1. What the client sent: POST /v1/responses")
    show(REQUEST)
    response = ask(envoy_address, json.dumps(REQUEST))
    is_stream = response.getheader("content-type", "").startswith("text/event-stream")
    if upstream.received:
        path, body = upstream.received[-1]
        title(f"2. What the upstream received: POST {path}")
        show(body)
    else:
        title("2. The upstream received nothing")

    title(f"3. What the client got: {response.status} {response.getheader('content-type', '')}")
    if not is_stream:
        print(response.read().decode(errors="replace"))
        return False
    output = []
    for name, event in read_events(response):
        if name == "response.completed":
            output = event["response"]["output"]
    print("\nThe output of the completed response:")
    show(output)
    wanted = {"type": "function_call", "status": "completed", "name": "shell"}
    return any(wanted.items() <= item.items() for item in output)


def main():
    run.end_on_signals()
    # A key that is meant for `make run` must not reach the scripted upstream.
    os.environ.pop("UPSTREAM_API_KEY", None)
    with tempfile.TemporaryDirectory() as directory, scripted_upstream.serve() as server:
        admin_file = Path(directory, "admin")
        upstream = run.parse_upstream(server.base_url)
        free = ("127.0.0.1", 0)
        config = run.envoy_config(upstream, run.plugin_config(None, None, upstream.prefix), free, free, run.wasm_module())
        config_file = Path(directory, "envoy.yaml")
        config_file.write_text(config, encoding="utf-8")
        command = run.envoy_command(config_file, 1, "--admin-address-path", str(admin_file))
        with open(Path(directory, "log"), "w+", encoding="utf-8") as log, run.process(command, stdout=log, stderr=log) as envoy:
            signal.signal(signal.SIGALRM, lambda *_: run.fail("not finished after 60 seconds"))
            signal.alarm(60)
            try:
                complete = exchange(listener_address(admin_file, envoy), server)
            except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
                print(f"\nThe exchange failed: {error!r}")
                complete = False
            except SystemExit:
                log.seek(0)
                print(log.read(), file=sys.stderr)
                raise
            if not complete:
                log.seek(0)
                print(f"\nEnvoy's log:\n{log.read()}", file=sys.stderr)
                run.fail("the client did not get its tool call")
    print("\nThe client got its tool call, complete.")


if __name__ == "__main__":
    main()

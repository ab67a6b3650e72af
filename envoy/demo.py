#!/usr/bin/env python3
"""One exchange through a real Envoy, seen from both ends (`make demo`).

Starts the scripted upstream and Envoy on free ports, sends a streaming Responses request that
offers a tool, and shows what the client sent, what the upstream received and what the client
got. Ends with 0 only if the client got a completed call of the tool.
"""

import http.client
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.dont_write_bytecode = True
import run  # run.py, beside this file

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


def ask(address, method, path, body=None):
    url = urlsplit(f"//{address}")
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    headers = {"content-type": "application/json", "accept": "text/event-stream"} if body else {}
    connection.request(method, path, body, headers)
    return connection.getresponse()


def listener_address(admin_file, envoy):
    """The address on which Envoy listens, once it does. Its port was Envoy's own choice."""
    while envoy.poll() is None:
        if admin_file.is_file() and (admin := admin_file.read_text()):
            listeners = json.load(ask(admin, "GET", "/listeners?format=json")).get("listener_statuses")
            if listeners:
                address = listeners[0]["local_address"]["socket_address"]
                return f"{address['address']}:{address['port_value']}"
        time.sleep(0.05)
    run.fail("Envoy does not start")


def title(text):
    print(f"\n=== {text} {'=' * (94 - len(text))}", flush=True)


def show(value):
    print(json.dumps(value, indent=2, ensure_ascii=False))


def read_events(response):
    """Prints each event on one line as it comes in, and yields its data."""
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
        # The whole response stands in the first and in the last events; its end is shown below.
        rest = event["response"].get("status") if "response" in event else json.dumps(event, ensure_ascii=False)
        print(f"{name:<40} {rest if len(rest) <= 110 else rest[:107] + '...'}", flush=True)
        yield name, event


def exchange(envoy_address, upstream_address):
    """Returns whether the client got a completed call of its tool."""
    title("1. What the client sent: POST /v1/responses")
    show(REQUEST)
    response = ask(envoy_address, "POST", "/v1/responses", json.dumps(REQUEST))
    is_stream = response.getheader("content-type", "").startswith("text/event-stream")
    # The reply is read after this, so that the parts come in order.
    received = json.load(ask(upstream_address, "GET", "/_/requests"))

    title("2. What the upstream received" + (f": POST {received[-1]['path']}" if received else ""))
    if received:
        body = received[-1]["body"]
        show(json.loads(body) if isinstance(body, str) else body)
    else:
        print("nothing")

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
    # A key that is set for `make run` is no business of the scripted upstream.
    os.environ.pop("UPSTREAM_API_KEY", None)
    with tempfile.TemporaryDirectory() as directory, run.example_upstream() as base_url:
        admin_file = Path(directory, "admin")
        upstream = run.parse_upstream(base_url)
        free = ("127.0.0.1", 0)
        config = run.envoy_config(upstream, run.plugin_config(None, None, upstream.prefix), free, free, run.wasm_module())
        config_file = Path(directory, "envoy.yaml")
        config_file.write_text(config, encoding="utf-8")
        command = run.envoy_command(config_file, 1, "--admin-address-path", str(admin_file))
        with open(Path(directory, "log"), "w+", encoding="utf-8") as log, run.process(command, stdout=log, stderr=log) as envoy:
            signal.signal(signal.SIGALRM, lambda *_: run.fail("no end after 60 seconds"))
            signal.alarm(60)
            try:
                complete = exchange(listener_address(admin_file, envoy), upstream.authority)
            except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
                print(f"\nThe exchange broke: {error!r}")
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

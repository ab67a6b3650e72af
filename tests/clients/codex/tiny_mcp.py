#!/usr/bin/env python3
"""A tiny MCP server on stdin and stdout: `add` adds two numbers, `pic` returns a picture of one pixel."""
import json
import sys

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
NUMBER = {"type": "number"}
TOOLS = [
    {"name": "add", "description": "Add two numbers",
     "inputSchema": {"type": "object", "properties": {"a": NUMBER, "b": NUMBER}, "required": ["a", "b"]}},
    {"name": "pic", "description": "Return a picture", "inputSchema": {"type": "object", "properties": {}}},
]


def call(name, arguments):
    if name == "add":
        return [{"type": "text", "text": str(arguments["a"] + arguments["b"])}]
    return [{"type": "text", "text": "a picture"}, {"type": "image", "data": PIXEL, "mimeType": "image/png"}]


def answer(method, params):
    if method == "initialize":
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "tiny", "version": "1"}}
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        return {"content": call(params["name"], params.get("arguments") or {}), "isError": False}
    return {}


for line in sys.stdin:
    request = json.loads(line)
    if "id" in request:
        result = answer(request["method"], request.get("params") or {})
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)

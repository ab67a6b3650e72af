"""A Chat Completions server that needs no model: the upstream of `make demo`, and of `make run` without UPSTREAM.

It calls the first tool of a request, or the one that `tool_choice` names. When the tool's output comes back, it
answers with a sentence that quotes it. Without tools it quotes the last message. The tests use a stricter server,
examples/chat_upstream.
"""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

QUOTED_CHARS = 80
DELTA_CHARS = 12


@contextlib.contextmanager
def serve():
    """Serves on a free port of 127.0.0.1. Yields the server: `base_url`, and `received`, a list of (path, body)."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    server.received = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.asks_for("/models"):
            self.reply(200, {"object": "list", "data": [{"id": "scripted", "object": "model", "owned_by": "transponder"}]})
        else:
            self.not_found()

    def do_POST(self):
        text = self.request_body()
        if not self.asks_for("/chat/completions"):
            return self.not_found()
        try:
            request = json.loads(text)
            message = answer(request)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            return self.refuse(400, f"not a Chat Completions request: {error!r}")
        self.server.received.append((self.path, request))
        if request.get("stream"):
            self.reply_with_events(events(message, request))
        else:
            self.reply(200, completion(message, request))

    def asks_for(self, path):
        """Whether the path ends so. Real servers ignore a query that they do not know."""
        return urlsplit(self.path).path.endswith(path)

    def request_body(self):
        """Envoy sends bodies without a length in chunks."""
        if length := self.headers.get("content-length"):
            return self.rfile.read(int(length))
        body = b""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass  # trailers
        return body

    def reply(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reply_with_events(self, values):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")  # the end of the connection is the end of the stream
        self.end_headers()
        for value in values:
            self.wfile.write(f"data: {json.dumps(value)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def refuse(self, status, message):
        self.reply(status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}})

    def not_found(self):
        self.refuse(404, f"unknown request: {self.command} {self.path}")

    def log_message(self, *_):
        pass  # Envoy logs each request


def answer(request):
    """The assistant's message: a tool call, or a text."""
    last = request["messages"][-1]
    if last["role"] == "tool":
        return {"role": "assistant", "content": f"The tool answered: {quote(last)}"}
    if function := chosen_function(request):
        arguments = json.dumps(example(function.get("parameters") or {}))
        call = {"id": f"call_{len(request['messages'])}", "type": "function", "function": {"name": function["name"], "arguments": arguments}}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    return {"role": "assistant", "content": f"You said: {quote(last)}"}


def quote(message):
    content = message.get("content") or ""
    if isinstance(content, list):
        content = " ".join(part.get("text", "") for part in content)
    return content[:QUOTED_CHARS]


def chosen_function(request):
    choice = request.get("tool_choice")
    name = choice["function"]["name"] if isinstance(choice, dict) and "function" in choice else None
    functions = [tool["function"] for tool in request.get("tools") or [] if "function" in tool]
    if choice == "none":
        return None
    return next((function for function in functions if name in (None, function["name"])), None)


def example(schema):
    """A value that fits the schema, for schemas of the usual kinds."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: example(properties.get(name, {})) for name in schema.get("required", [])}
    examples = {"integer": 1, "number": 1, "boolean": True, "null": None}
    return [example(schema.get("items", {}))] if kind == "array" else examples.get(kind, "example")


def finish_reason(message):
    return "tool_calls" if "tool_calls" in message else "stop"


def envelope(kind, request):
    return {"id": "chatcmpl-1", "object": kind, "created": 1_700_000_000, "model": request.get("model")}


def usage(message, request):
    """About one token for each four characters."""
    counts = {"prompt_tokens": len(json.dumps(request)) // 4, "completion_tokens": len(json.dumps(message)) // 4}
    return {**counts, "total_tokens": sum(counts.values())}


def completion(message, request):
    choice = {"index": 0, "message": message, "finish_reason": finish_reason(message)}
    return {**envelope("chat.completion", request), "choices": [choice], "usage": usage(message, request)}


def events(message, request):
    def chunk(delta, finish=None):
        return {**envelope("chat.completion.chunk", request), "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces(message["content"] or ""):
        yield chunk({"content": piece})
    for index, call in enumerate(message.get("tool_calls", [])):
        # The first delta has the function's name, the others have pieces of its arguments.
        yield chunk({"tool_calls": [{"index": index, **call, "function": {**call["function"], "arguments": ""}}]})
        for piece in pieces(call["function"]["arguments"]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, finish_reason(message))
    if (request.get("stream_options") or {}).get("include_usage"):
        yield {**envelope("chat.completion.chunk", request), "choices": [], "usage": usage(message, request)}


def pieces(text):
    return [text[start : start + DELTA_CHARS] for start in range(0, len(text), DELTA_CHARS)]

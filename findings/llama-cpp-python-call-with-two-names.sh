#!/usr/bin/env bash
# llama-cpp-python names one and the same call differently in `function_call` and in `tool_calls`.
#
# Software: llama-cpp-python 0.3.36 (PyPI), `python -m llama_cpp.server --chat_format chatml-function-calling`; its library is
# the llama.cpp in the wheel xllamacpp 2026.10.11549, because llama-cpp-python has no wheels. The model is made by hand.
# Input: a request that is not a stream, with one tool `exec_command` and `tool_choice: "auto"`. The model calls it once.
# Expected by most readers: the deprecated `function_call` repeats the call: the same name, the same arguments.
# Seen: `tool_calls[0].function.name` is `exec_command`, `function_call.name` is `exec_command:` here, and in general whatever
# the model was about to say after the call: the server asks for a next call in the same variable before it writes the
# field, and writes that. The arguments are those of the first call. A client that prefers `function_call` calls a tool
# that does not exist, or another one with the wrong arguments.
# The same request as a stream gets 200 and an empty body.
set -euo pipefail

parts=$(cd "$(dirname "$0")/../tests/upstreams/llama-cpp-python" && pwd)
work=$(mktemp -d)
server_pid=
trap '[[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
pip() { timeout 600 "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip --only-binary :all: --requirement "$parts/requirements.txt"
CMAKE_ARGS="-DLLAMA_BUILD=OFF -DLLAVA_BUILD=OFF" pip --no-deps --no-build-isolation --no-binary llama-cpp-python llama-cpp-python==0.3.36
packages=$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir -p "$packages/llama_cpp/lib"
for name in llama ggml; do
  ln -s ../../xllamacpp/xllamacpp.abi3.so "$packages/llama_cpp/lib/lib$name.so"
done
"$work/venv/bin/python" "$parts/mkmodel.py" "$work/model.gguf"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$work/venv/bin/python" "$parts/serve.py" --host 127.0.0.1 --port "$port" --model "$work/model.gguf" --n_ctx 2048 \
  --chat_format chatml-function-calling > "$work/log" 2>&1 &
server_pid=$!
for _ in $(seq 60); do
  curl --silent --max-time 2 "http://127.0.0.1:$port/v1/models" > /dev/null && break
  sleep 1
done

ask() { # stream
  curl --silent --max-time 60 --write-out '\n%{http_code}\n' -H 'content-type: application/json' -d '{
    "stream": '"$1"', "messages": [{"role": "user", "content": "Hi"}], "tool_choice": "auto",
    "tools": [{"type": "function", "function": {"name": "exec_command", "parameters":
      {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]}}}]
  }' "http://127.0.0.1:$port/v1/chat/completions"
}
echo "not a stream:"
ask false | head -1 | python3 -c 'import json, sys
message = json.load(sys.stdin)["choices"][0]["message"]
print("  tool_calls[0].function", message["tool_calls"][0]["function"])
print("  function_call         ", message["function_call"])
assert message["tool_calls"][0]["function"]["name"] == "exec_command"
assert message["function_call"]["name"] == "exec_command:"'
echo "stream: status and body"
streamed=$(ask true)
echo "$streamed"
[[ $(tr -d '\n' <<<"$streamed") == 200 ]]

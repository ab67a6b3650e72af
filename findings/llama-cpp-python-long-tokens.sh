#!/usr/bin/env bash
# llama-cpp-python loses the text of every token that is longer than 32 bytes, without a word.
#
# Software: llama-cpp-python 0.3.36 (PyPI), `python -m llama_cpp.server`; its library is the llama.cpp in the wheel
# xllamacpp 2026.10.11549, because llama-cpp-python has no wheels. The model is made by hand: it says "Hello", one token of
# 45 bytes, then three short ones.
# Expected by most readers: all of it, as llama.cpp's own server writes it.
# Seen: the long token is missing from the text, streamed or not, and `completion_tokens` counts it. `detokenize` gives
# llama_token_to_piece a buffer of 32 bytes and takes its negative answer ("I need 45") for a length: `buffer[:-45]` is empty.
# Real vocabularies have such tokens: indentation, rules of dashes, long identifiers. A call whose text has one is broken.
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
cp "$parts/chat.jinja" "$work"
sed 's/" from"/" from a token whose text has forty-five bytes"/' "$parts/mkmodel.py" > "$work/mkmodel.py"
"$work/venv/bin/python" "$work/mkmodel.py" "$work/model.gguf"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$work/venv/bin/python" "$parts/serve.py" --host 127.0.0.1 --port "$port" --model "$work/model.gguf" --n_ctx 2048 > "$work/log" 2>&1 &
server_pid=$!
for _ in $(seq 60); do
  curl --silent --max-time 2 "http://127.0.0.1:$port/v1/models" > /dev/null && break
  sleep 1
done

curl --silent --max-time 60 -H 'content-type: application/json' -d '{"messages": [{"role": "user", "content": "Hi"}]}' \
  "http://127.0.0.1:$port/v1/chat/completions" | python3 -c 'import json, sys
reply = json.load(sys.stdin)
print(reply["choices"][0]["message"]["content"])
print("completion_tokens", reply["usage"]["completion_tokens"])'

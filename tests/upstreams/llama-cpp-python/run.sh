#!/bin/bash
# A real llama_cpp.server (llama-cpp-python) on loopback, with a hand-made model that says what mkmodel.py scripts: its wire
# and its errors are real. The model is written to MODEL.gguf. usage: run.sh PORT MODEL.gguf, or: run.sh prepare
# What it needs goes to .tools/llama-cpp-python, once. llama-cpp-python has no wheels on PyPI. Its Python part is built
# without its library, in whose place it gets the llama.cpp that is in the wheel of xllamacpp: nothing is compiled.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${1:?usage: run.sh PORT MODEL.gguf}

install() {
  wheels --requirement "$here/requirements.txt"
  CMAKE_ARGS="-DLLAMA_BUILD=OFF -DLLAVA_BUILD=OFF" "$tools/venv/bin/python" -m pip install -q --disable-pip-version-check \
    --no-deps --no-build-isolation --no-binary llama-cpp-python llama-cpp-python==0.3.36 >&2
  packages=$("$tools/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  mkdir -p "$packages/llama_cpp/lib"
  for name in llama ggml; do
    ln -sf ../../xllamacpp/xllamacpp.abi3.so "$packages/llama_cpp/lib/lib$name.so"
  done
}
source "$here/../installed.sh"

model=${2:?usage: run.sh PORT MODEL.gguf}
"$tools/venv/bin/python" "$here/mkmodel.py" "$model"
exec "$tools/venv/bin/python" "$here/serve.py" --host 127.0.0.1 --port "$port" --model "$model" --model_alias tiny \
  --n_ctx 2048 --n_threads 1 --interrupt_requests False

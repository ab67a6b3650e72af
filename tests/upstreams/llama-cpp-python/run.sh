#!/bin/bash
# A real llama_cpp.server (llama-cpp-python) on loopback, with a hand-made model that says what mkmodel.py scripts: its wire
# and its errors are real. The model is written to MODEL.gguf. usage: run.sh PORT MODEL.gguf, or: run.sh prepare
# What it needs goes to .tools/llama-cpp-python, once. llama-cpp-python has no wheels on PyPI. Its Python part is built
# without its library, in whose place it gets the llama.cpp that is in the wheel of xllamacpp: nothing is compiled.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tools=$here/../../../.tools/llama-cpp-python
port=${1:?usage: run.sh PORT MODEL.gguf}

mkdir -p "$tools"
# Two tests may come here at once.
exec 9> "$tools/lock"
flock 9
if [[ ! -f $tools/ready ]]; then
  rm -rf "$tools/venv"
  python3 -m venv "$tools/venv"
  "$tools/venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: --requirement "$here/requirements.txt" >&2
  CMAKE_ARGS="-DLLAMA_BUILD=OFF -DLLAVA_BUILD=OFF" "$tools/venv/bin/pip" install -q --disable-pip-version-check \
    --no-deps --no-build-isolation --no-binary llama-cpp-python llama-cpp-python==0.3.36 >&2
  packages=$("$tools/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  mkdir -p "$packages/llama_cpp/lib"
  for name in llama ggml; do
    ln -sf ../../xllamacpp/xllamacpp.abi3.so "$packages/llama_cpp/lib/lib$name.so"
  done
  touch "$tools/ready"
fi
flock -u 9
exec 9>&-
[[ $port != prepare ]] || exit 0

model=${2:?usage: run.sh PORT MODEL.gguf}
"$tools/venv/bin/python" "$here/mkmodel.py" "$model"
exec "$tools/venv/bin/python" "$here/serve.py" --host 127.0.0.1 --port "$port" --model "$model" --model_alias tiny \
  --n_ctx 2048 --n_threads 1 --interrupt_requests False

#!/bin/bash
# A real `transformers serve` on loopback, on the CPU, with a hand-made model: what it says is scripted, its wire, its parsing
# of calls and its errors are real. The model goes to DIRECTORY, which must not exist, and is called as its last part.
# usage: run.sh PORT DIRECTORY, or: run.sh prepare
# What it needs (PyPI wheels) goes to .tools/transformers, once: on x86-64 almost 6 GB, because PyPI's torch brings CUDA.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${1:?usage: run.sh PORT DIRECTORY}

install() {
  wheels uv==0.13.9
  # pip would take several times as long for files of this size.
  "$tools/venv/bin/uv" pip install -q --no-cache --only-binary :all: --python "$tools/venv/bin/python" --requirement "$here/requirements.txt" >&2
}
source "$here/../installed.sh"

model=${2:?usage: run.sh PORT DIRECTORY}
"$tools/venv/bin/python" "$here/mkmodel.py" "$model"
# Otherwise it looks on the Internet for models that it does not have.
cd "$(dirname "$model")"
HF_HUB_OFFLINE=1 exec "$tools/venv/bin/transformers" serve "$(basename "$model")" --host 127.0.0.1 --port "$port" --device cpu

#!/bin/bash
# A real mlx_lm.server on loopback, on the CPU, with a hand-made model: what it says is scripted, its wire, its parsing of
# calls and its errors are real. The model goes to DIRECTORY, which must not exist, and is called default_model.
# usage: run.sh PORT DIRECTORY, or: run.sh prepare
# What it needs (PyPI wheels) goes to .tools/mlx, once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${1:?usage: run.sh PORT DIRECTORY}

install() { wheels mlx-lm==0.32.2 'mlx[cpu]==0.32.4' transformers==5.24.0 tokenizers==0.23.3; }
source "$here/../installed.sh"

model=${2:?usage: run.sh PORT DIRECTORY}
"$tools/venv/bin/python" "$here/mkmodel.py" "$model"
# Otherwise it looks on the Internet for models that it does not have.
HF_HUB_OFFLINE=1 exec "$tools/venv/bin/python" -m mlx_lm server --model "$model" --host 127.0.0.1 --port "$port"

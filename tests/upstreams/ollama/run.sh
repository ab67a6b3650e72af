#!/bin/bash
# A real Ollama on loopback, on the CPU, with the model of llama-cpp-python: what it says is scripted, its wire, its parsing of
# calls and its errors are real. The model is called tiny; it and Ollama's own files go to DIRECTORY, which must not exist.
# usage: run.sh PORT DIRECTORY, or: run.sh prepare
# Ollama is built from source with Go and a C++ compiler, once, to .tools/ollama: five minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${1:?usage: run.sh PORT DIRECTORY}

install() {
  wheels gguf==0.19.0 numpy==2.4.6
  version=$(go -C "$here" list -m -f '{{.Version}}' github.com/ollama/ollama)
  go -C "$here" build -o "$tools/ollama" -ldflags "-X github.com/ollama/ollama/version.Version=${version#v}" github.com/ollama/ollama >&2
}
source "$here/../installed.sh"

files=${2:?usage: run.sh PORT DIRECTORY}
mkdir "$files"
"$tools/venv/bin/python" "$here/../llama-cpp-python/mkmodel.py" "$files/model.gguf" >&2
cp "$here/Modelfile" "$files"
export HOME=$files OLLAMA_MODELS=$files/models OLLAMA_HOST=127.0.0.1:$port OLLAMA_NUM_PARALLEL=1
# The server makes the model, when it is up.
for _ in {1..100}; do
  "$tools/ollama" create tiny --file "$files/Modelfile" && break
  sleep 0.2
done &
exec "$tools/ollama" serve

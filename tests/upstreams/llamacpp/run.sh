#!/bin/bash
# A real llama.cpp server on loopback, with a hand-made model of 3 MB: its words are noise, its wire, its
# tool-call grammar and its errors are real. usage: run.sh PORT [plain|think|strict], or: run.sh prepare
#   plain: with tools it calls them, after their results it answers; think: the same, with reasoning first;
#   strict: its template refuses a second system message.
# What it needs (PyPI wheels) and the models go to .tools/llamacpp, once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${1:?usage: run.sh PORT [plain|think|strict]}
kind=${2:-plain}
case $kind in
  plain) template=bigram-tools.jinja ;;
  think) template=bigram-think.jinja ;;
  strict) template=bigram-strict.jinja ;;
  *) echo "run.sh: unknown kind $kind" >&2; exit 1 ;;
esac

install() { wheels xllamacpp==2026.10.11549 gguf==0.19.0; }
source "$here/../installed.sh"

model=$tools/$kind.gguf
if [[ ! -f $model ]]; then
  # Renamed when it is complete, because two tests may write it at the same time.
  "$tools/venv/bin/python" "$here/mkbigram.py" "$model.$$" "$here/$template" >&2
  mv "$model.$$" "$model"
fi
exec "$tools/venv/bin/python" "$here/serve.py" "$model" "$port" n_ctx=131072 n_predict=2048

#!/bin/bash
# A real llama.cpp server on loopback, with a hand-made model of 3 MB: its words are noise, its wire, its
# tool-call grammar and its errors are real. usage: run.sh PORT [plain|think|strict], or: run.sh prepare
#   plain: with tools it calls them, after their results it answers; think: the same, with reasoning first;
#   strict: its template refuses a second system message.
# What it needs (PyPI wheels) and the models go to .tools/llamacpp, once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tools=$here/../../../.tools/llamacpp
port=${1:?usage: run.sh PORT [plain|think|strict]}
kind=${2:-plain}
case $kind in
  plain) template=bigram-tools.jinja ;;
  think) template=bigram-think.jinja ;;
  strict) template=bigram-strict.jinja ;;
  *) echo "run.sh: unknown kind $kind" >&2; exit 1 ;;
esac

mkdir -p "$tools"
# Two tests may come here at once.
exec 9> "$tools/lock"
flock 9
if [[ ! -f $tools/ready ]]; then
  python3 -m venv "$tools/venv"
  "$tools/venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: xllamacpp==2026.10.11549 gguf==0.19.0 >&2
  touch "$tools/ready"
fi
model=$tools/$kind.gguf
[[ -f $model ]] || "$tools/venv/bin/python" "$here/mkbigram.py" "$model" "$here/$template" >&2
flock -u 9
exec 9>&-
[[ $port != prepare ]] || exit 0

exec "$tools/venv/bin/python" "$here/serve.py" "$model" "$port" n_ctx=131072 n_predict=2048

# Sourced by each run.sh, which sets `here` and `port` and defines `install`. Sets `tools`, the server's directory in
# .tools, and makes a virtual environment there, once. With the port `prepare` there is nothing more to do.
tools=$(cd "$here/../../.." && pwd)/.tools/$(basename "$here")

# pip install with these arguments. Nothing is compiled.
wheels() {
  "$tools/venv/bin/python" -m pip install -q --disable-pip-version-check --only-binary :all: "$@" >&2
}

mkdir -p "$tools"
# Two tests may install at the same time.
exec 9> "$tools/lock"
flock 9
if [[ ! -f $tools/ready ]]; then
  rm -rf "$tools/venv"
  python3 -m venv "$tools/venv"
  install
  touch "$tools/ready"
fi
flock -u 9
exec 9>&-
[[ $port != prepare ]] || exit 0

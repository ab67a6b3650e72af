#!/bin/bash
# A real SearXNG on loopback. Its only source is the server at PAGES_URL, which answers `?q=...` with
# {"results": [{"title", "url", "content"}]}, so it needs no Internet. Its configuration is written beside FILE.
# usage: run.sh PORT FILE PAGES_URL, or: run.sh prepare
# What it needs (PyPI wheels) goes to .tools/searxng, once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${1:?usage: run.sh PORT FILE PAGES_URL}

install() { wheels --requirement "$here/requirements.txt"; }
source "$here/../installed.sh"

file=${2:?usage: run.sh PORT FILE PAGES_URL}
cat > "$file.yml" <<YAML
use_default_settings: { engines: { keep_only: [] } }
search: { formats: [html, json] }
server: { secret_key: none, limiter: false, bind_address: 127.0.0.1, port: $port }
engines:
- name: pages
  engine: json_engine
  shortcut: p
  categories: [general]
  enable_http: true
  search_url: "${3:?usage: run.sh PORT FILE PAGES_URL}/?q={query}"
  results_query: results
  title_query: title
  url_query: url
  content_query: content
YAML
# It keeps a cache in the directory for temporary files.
TMPDIR=$(dirname "$file") SEARXNG_SETTINGS_PATH=$file.yml exec "$tools/venv/bin/python" -m searx.webapp

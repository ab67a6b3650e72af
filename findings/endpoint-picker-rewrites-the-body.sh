#!/usr/bin/env bash
# The endpoint picker of the Gateway API Inference Extension writes every request anew: schemas get another order, long numbers another
# value.
#
# Software: the picker `epp` 1.5.0 (Go module sigs.k8s.io/gateway-api-inference-extension), grpcio 1.85.3 in the place of Envoy, and an
# API server of a few lines that has one InferencePool and one pod.
# Input: a Chat Completions request with a tool whose `properties` are `path`, `depth` and `all`, and with `"seed": 9007199254740993`.
# Expected by most readers: a picker reads the body, chooses an endpoint, and passes the same bytes on, since it renames no model.
# Seen: the body is decoded into a Go map and encoded again. All keys come in the order of the alphabet, also those of the tool's schema:
# `all`, `depth`, `path`. The number becomes 9007199254740992, since it was a float64. Chat templates write schemas into the prompt as
# they come, so the model sees another prompt than without a picker. The body goes back in pieces, also if it came in one.
set -euo pipefail

work=$(mktemp -d)
pids=
trap 'for pid in $pids; do kill "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT

picker=sigs.k8s.io/gateway-api-inference-extension/cmd/epp
mkdir "$work/module"
cd "$work/module"
{ go mod init example.com/picker && go get -tool "$picker@v1.5.0" && go build -o "$work/epp" "$picker"; } >"$work/log" 2>&1 ||
  { cat "$work/log"; exit 1; }
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check grpcio==1.85.3

cat >"$work/cluster.py" <<'PYTHON'
# The API server. It answers with lists, and its watches never report a change.
import http.server
import json
import time

POD = {"metadata": {"name": "server", "namespace": "models", "labels": {"app": "server"}, "resourceVersion": "1"},
       "status": {"podIP": "127.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}}
POOL = {"metadata": {"name": "pool", "namespace": "models", "resourceVersion": "1"},
        "spec": {"selector": {"matchLabels": {"app": "server"}}, "targetPorts": [{"number": 8000}], "endpointPickerRef": {"name": "epp", "port": {"number": 1}}}}
GROUP = "inference.networking.k8s.io"
KINDS = {"v1": ("/api/v1", "Pod", "pods", POD), f"{GROUP}/v1": (f"/apis/{GROUP}/v1", "InferencePool", "inferencepools", POOL)}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        version = {"groupVersion": f"{GROUP}/v1", "version": "v1"}
        answers = {
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "groups": [{"name": GROUP, "versions": [version], "preferredVersion": version}]},
        }
        events = []
        for group, (prefix, kind, plural, item) in KINDS.items():
            about = {"kind": kind, "apiVersion": group}
            resource = {"name": plural, "kind": kind, "namespaced": True, "verbs": ["get", "list", "watch"]}
            answers[prefix] = {"kind": "APIResourceList", "groupVersion": group, "resources": [resource]}
            listed = f"{prefix}/namespaces/models/{plural}"
            answers[listed] = {"kind": f"{kind}List", "apiVersion": group, "metadata": {"resourceVersion": "1"}, "items": [item]}
            if path == listed and "sendInitialEvents=true" in query:
                end = {"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}}
                events = [{"type": "ADDED", "object": {**about, **item}}, {"type": "BOOKMARK", "object": {**about, "metadata": end}}]
        self.send_response(200 if path in answers else 404)
        self.send_header("content-type", "application/json")
        self.end_headers()
        if "watch=" not in query:
            self.wfile.write(json.dumps(answers.get(path, {})).encode())
            return
        self.wfile.write("".join(json.dumps(event) + "\n" for event in events).encode())
        self.wfile.flush()
        time.sleep(300)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
PYTHON

cat >"$work/envoy.py" <<'PYTHON'
# What Envoy says and hears in the mode FULL_DUPLEX_STREAMED, with the few fields of the protocol that matter here.
import json
import sys
import threading
import time

import grpc

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}, "depth": {"type": "integer"}, "all": {"type": "boolean"}}}
BODY = {"model": "m", "seed": 9007199254740993, "messages": [{"role": "user", "content": "x" * 200_000}],
        "tools": [{"type": "function", "function": {"name": "list", "parameters": SCHEMA}}]}


def varint(number):
    if number < 0x80:
        return bytes([number])
    return bytes([number & 0x7F | 0x80]) + varint(number >> 7)


def message(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def fields(data):
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at, value, shift = at + 1, value | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag, value = number(), number()
        if tag & 7 == 2:  # The number is a length.
            value, at = data[at : at + value], at + value
        found.setdefault(tag >> 3, []).append(value)
    return found


def header(name, value):
    return message(1, message(1, name) + message(3, value))


def asked(answered):
    headers = header(b":path", b"/v1/chat/completions") + header(b":method", b"POST") + header(b"content-type", b"application/json")
    yield message(2, message(1, headers))  # request_headers
    yield message(4, message(1, json.dumps(BODY).encode()) + b"\x10\x01")  # request_body, its end
    answered.wait(60)


channel = grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}")
process = channel.stream_stream("/envoy.service.ext_proc.v3.ExternalProcessor/Process")
for _ in range(100):
    pieces, answered = [], threading.Event()
    try:
        for answer in process(asked(answered), timeout=60, wait_for_ready=True):
            answer = fields(answer)
            if 7 in answer:  # immediate_response: it has no pods yet
                break
            if 3 not in answer:
                continue
            piece = fields(fields(fields(fields(answer[3][0])[1][0])[3][0])[3][0])  # response.body_mutation.streamed_response
            pieces.append(piece[1][0])
            if piece.get(2) == [1]:
                break
    except grpc.RpcError as error:
        print(error.code(), file=sys.stderr)
    answered.set()
    if pieces:
        break
    time.sleep(0.2)
sent = json.loads(b"".join(pieces))
schema = sent["tools"][0]["function"]["parameters"]["properties"]
print(f"keys {','.join(sent)}; properties {','.join(schema)}; seed {sent['seed']}; {'several pieces' if len(pieces) > 1 else 'one piece'}", flush=True)
PYTHON

timeout 300 python3 "$work/cluster.py" >"$work/port" &
pids=$!
for _ in $(seq 100); do
  [[ -s $work/port ]] && break
  sleep 0.1
done
cat >"$work/kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: it, cluster: {server: "http://127.0.0.1:$(cat "$work/port")"}}]
contexts: [{name: it, context: {cluster: it, user: it}}]
users: [{name: it, user: {}}]
current-context: it
YAML
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port)
KUBECONFIG=$work/kubeconfig timeout 300 "$work/epp" --pool-name=pool --pool-namespace=models --secure-serving=false \
  --grpc-port="$port" --grpc-health-port="$(free_port)" --metrics-port="$(free_port)" --metrics-endpoint-auth=false >"$work/log" 2>&1 &
pids="$pids $!"
seen=$(timeout 120 "$work/venv/bin/python" "$work/envoy.py" "$port")
echo "$seen"
[[ $seen == "keys messages,model,seed,tools; properties all,depth,path; seed 9007199254740992; several pieces" ]]

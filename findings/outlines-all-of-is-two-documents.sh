#!/usr/bin/env bash
# outlines-core makes a model whose schema has `allOf` write two JSON documents, one behind the other.
#
# Software: outlines-core 0.2.14 (PyPI, the newest), which says what token a model may write next in Outlines and in servers that offer it for structured
# output: `build_regex_from_schema`, `Index` and `Guide`. The vocabulary is one token a character. jsonschema 4.26.0 judges the texts.
# Input: an object schema of two parts in `allOf`, as generators write inheritance; an object whose `anyOf` asks for one of two keys; an integer with
# limits; strings with the patterns `x`, `^x` and `^x$`, and one with a pattern and a length. Each text is offered token by token.
# Expected by most readers: keywords that the library cannot express are refused, or ignored, so that a valid text can always be written.
# Seen: `allOf` puts its parts one behind the other. `{"a":1,"b":1}`, which is valid, is stopped; `{"a":1}{"b":1}`, which is no JSON, is finished, and nothing
# else is. So a model that obeys cannot but fail. Patterns are taken for the whole string: with `x`, `"xa"` is stopped. With `^x` alone no text at
# all is possible, and an error about the vocabulary says so; `^x$` works. Others are ignored: `anyOf` beside `properties`, `minimum`
# and `maximum`, and a pattern beside a length. Only `not` is refused.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
timeout 300 "$work/venv/bin/pip" install --quiet --disable-pip-version-check outlines-core==0.2.14 jsonschema==4.26.0

cat >"$work/write.py" <<'PYTHON'
import json

from jsonschema import Draft202012Validator
from outlines_core import Guide, Index, Vocabulary
from outlines_core.json_schema import build_regex_from_schema

END = 0
TOKENS = {chr(code): code for code in range(ord(" "), ord("~") + 1)}
VOCABULARY = Vocabulary(END, {token: [number] for token, number in TOKENS.items()})


def part(key):
    return {"type": "object", "properties": {key: {"type": "integer"}}, "required": [key]}


def string(**keywords):
    return {"type": "string", **keywords}


CASES = [
    ("allOf", {"allOf": [part("a"), part("b")]}, ['{"a":1,"b":1}', '{"a":1}', '{"a":1}{"b":1}']),
    ("anyOf", {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, ['{"a":1}', "{}"]),
    ("limits", {"type": "integer", "minimum": 1, "maximum": 5}, ["3", "9"]),
    ("x", string(pattern="x"), ['"x"', '"xa"']),
    ("^x", string(pattern="^x"), ['"x"', '"xa"']),
    ("^x$", string(pattern="^x$"), ['"x"', '"xa"']),
    ("^x and length", string(pattern="^x", maxLength=3), ['"xa"', '"ax"']),
    ("not", {"not": {"type": "string"}}, ["1"]),
]


def judge(schema, text):
    try:
        return "valid" if Draft202012Validator(schema).is_valid(json.loads(text)) else "not valid"
    except json.JSONDecodeError:
        return "no JSON"


def write(schema, text):
    try:
        guide = Guide(Index(build_regex_from_schema(json.dumps(schema)), VOCABULARY))
    except ValueError as error:
        return f"error: {' '.join(str(error).split()[:4])}"
    for token in text:
        if TOKENS[token] not in guide.get_tokens():
            return f"stopped at {token}"
        guide.advance(TOKENS[token])
    return "finished" if END in guide.get_tokens() else "not finished"


for name, schema, texts in CASES:
    for text in texts:
        print(f"{name}: {text} is {judge(schema, text)}, {write(schema, text)}")
PYTHON
seen=$(timeout 60 "$work/venv/bin/python" "$work/write.py")
echo "$seen"
[[ $seen == 'allOf: {"a":1,"b":1} is valid, stopped at ,
allOf: {"a":1} is not valid, not finished
allOf: {"a":1}{"b":1} is no JSON, finished
anyOf: {"a":1} is valid, finished
anyOf: {} is not valid, finished
limits: 3 is valid, finished
limits: 9 is not valid, finished
x: "x" is valid, finished
x: "xa" is valid, stopped at a
^x: "x" is valid, error: The vocabulary provided is
^x: "xa" is valid, error: The vocabulary provided is
^x$: "x" is valid, finished
^x$: "xa" is not valid, stopped at a
^x and length: "xa" is valid, finished
^x and length: "ax" is not valid, finished
not: 1 is valid, error: Unsupported JSON Schema structure' ]]

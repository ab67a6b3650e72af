#!/usr/bin/env bash
# OpenAI's own library for gpt-oss hides the type of every parameter that may be null, and of every reference.
#
# Software: openai-harmony 0.0.8 (PyPI), which writes the prompt of gpt-oss for vLLM, SGLang and others. Its vocabulary o200k_base is rebuilt from
# npm's tiktoken 1.0.22; the library itself checks the sum of the file. The schema is that of a function's parameters by pydantic 2.12.5,
# without titles.
# Input: one tool whose parameters are `str | None`, a model in `$defs`, a `Literal` of one word, a `Literal` of two numbers, and an integer with
# limits. For comparison the same two parameters written otherwise: `type: ["string", "null"]` and `oneOf` for `anyOf`.
# Expected by most readers: the library that defines the format renders what OpenAI's own SDK and pydantic generate; `anyOf` and `oneOf` are
# both unions.
# Seen: `anyOf` and `$ref` are each `any`. So the model is told nothing of an optional string but its description and default, and never sees the
# fields of a nested object, not even that it is one. A list of types is a union, `string | null`; `oneOf` is one too, in which null is `any`.
# A constant beside its type loses its value, an enumeration of numbers is `number`, limits are gone. The second line of a parameter's
# description is no comment any more but stands between the fields; the second line of the tool's description is one. Nothing
# warns. A client or proxy can help: it can put references in place, and write "string or null" as a list of types.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
timeout 300 venv/bin/pip install --quiet --disable-pip-version-check openai-harmony==0.0.8 pydantic==2.12.5
echo '{"private": true, "type": "module"}' >package.json
timeout 300 npm install --silent --no-audit --no-fund --ignore-scripts tiktoken@1.0.22

cat >render.py <<'PYTHON'
import json
import os
from typing import Literal

from pydantic import BaseModel, Field

# Each line of the ranks is a marker, the rank of its first token, and the tokens.
ranks = json.load(open("node_modules/tiktoken/encoders/o200k_base.json"))["bpe_ranks"]
with open("o200k_base.tiktoken", "w") as vocabulary:
    for _, first, *tokens in map(str.split, ranks.splitlines()):
        vocabulary.writelines(f"{token} {rank}\n" for rank, token in enumerate(tokens, int(first)))
os.environ["TIKTOKEN_ENCODINGS_BASE"] = os.getcwd()

from openai_harmony import Conversation, DeveloperContent, HarmonyEncodingName, Message, Role, ToolDescription, load_harmony_encoding


class Place(BaseModel):
    city: str


class Search(BaseModel):
    query: str | None = Field(None, description="What to look for.\nLeave it out for all.")
    near: Place
    kind: Literal["shop"]
    stars: Literal[4, 5]
    limit: int = Field(10, ge=1, le=50)


def untitled(schema):
    if isinstance(schema, dict):
        return {key: untitled(value) for key, value in schema.items() if key != "title"}
    return schema


parameters = untitled(Search.model_json_schema())
parameters["properties"]["listed"] = {"type": ["string", "null"]}
parameters["properties"]["one"] = {"oneOf": [{"type": "string"}, {"type": "null"}]}
print(json.dumps(parameters["properties"]["query"]))
tool = ToolDescription.new("search", "Finds places.\nCosts a cent.", parameters=parameters)
message = Message.from_role_and_content(Role.DEVELOPER, DeveloperContent.new().with_function_tools([tool]))
encoding = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)
text = encoding.decode_utf8(encoding.render_conversation(Conversation.from_messages([message])))
print(text[text.index("//") : text.index("}) => any")])
PYTHON
seen=$(timeout 120 venv/bin/python render.py)
echo "$seen"
[[ $seen == '{"anyOf": [{"type": "string"}, {"type": "null"}], "default": null, "description": "What to look for.\nLeave it out for all."}
// Finds places.
// Costs a cent.
type search = (_: {
// What to look for.
Leave it out for all.
query?: any, // default: null
near: any,
kind: string,
stars: number,
limit?: number, // default: 10
listed?: string | null,
one?:
 | string
 | any
,' ]]

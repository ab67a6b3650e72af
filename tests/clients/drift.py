#!/usr/bin/env python3
"""Compares docs/responses.md with the types of the installed openai package.

Prints each field, item, part, tool, key, value and event of the API that has no row, and exits with 1 if there is any.
The argument is the page; tests pass a changed copy to see that a missing row is found.

Only what is translated is looked into. Whatever is passed on, copied, dropped, ignored or rejected is so with all that
is in it, so a new key there needs no decision.
"""

import importlib
import re
import sys
import types
import typing
from pathlib import Path

import openai
import typing_extensions
from pydantic import BaseModel

PAGE = Path(__file__).resolve().parents[2] / "docs" / "responses.md"
# Keys whose elements have their own rows.
PARTS = {"content", "output", "summary"}
OPEN = {"translated", "answered"}


class Page:
    """The tables of the page: by heading, the names in the first cell of each row, and the second and third cell."""

    def __init__(self, text):
        self.tables = {}
        heading = None
        for line in text.splitlines():
            if line.startswith("#"):
                heading = line.lstrip("# ").replace("`", "")
            elif line.startswith("| ") and not line.startswith("|---"):
                cells = [cell.strip() for cell in line.strip("|").split("|")]
                names = re.findall(r"`([^`]*)`", cells[0])
                self.tables.setdefault(heading, []).append((names, cells[1:]))

    def names(self, *headings):
        return {name for heading in headings for names, _ in self.tables[heading] for name in names}

    def handling(self, heading, name):
        return next((cells[0] for names, cells in self.tables[heading] if name in names), None)

    def key(self, owner, key):
        """How a key of an item, part or tool is handled."""
        for names, cells in self.tables["Keys"]:
            if key in names and (owner in re.findall(r"`([^`]*)`", cells[1]) or cells[1] == "all"):
                return cells[0]
        return None

    def values(self, path):
        rows = self.tables["Values"] + self.tables["Values of the reply"]
        cells = [cell for names, cells in rows if path in names for cell in cells[:2]]
        return {value for cell in cells for value in re.findall(r"`([^`]*)`", cell)}


def members(hint):
    """The types that a hint allows, without Optional, Required, Annotated and lists."""
    origin = typing.get_origin(hint)
    if origin in (typing.Annotated, typing_extensions.Required, typing_extensions.NotRequired):
        yield from members(typing.get_args(hint)[0])
    elif origin in (typing.Union, types.UnionType):
        for one in typing.get_args(hint):
            yield from members(one)
    elif origin is not None and origin is not typing.Literal and origin is not dict:
        for one in typing.get_args(hint):
            yield from members(one)
    else:
        yield hint


def literals(hint):
    return {value for one in members(hint) if typing.get_origin(one) is typing.Literal for value in typing.get_args(one)}


def objects(hint):
    return [one for one in members(hint) if isinstance(one, type) and (hints(one) or typing.is_typeddict(one))]


def hints(of):
    """The keys of an object and their types."""
    if isinstance(of, type) and issubclass(of, BaseModel):
        return {field.alias or name: field.annotation for name, field in of.model_fields.items()}
    if typing_extensions.is_typeddict(of) or typing.is_typeddict(of):
        return typing_extensions.get_type_hints(of, include_extras=True)
    return {}


def type_names(of):
    return literals(hints(of).get("type", str))


class Check:
    def __init__(self, page):
        self.page = page
        self.missing = set()

    def expect(self, is_there, what):
        if not is_there:
            self.missing.add(what)

    def fields(self, params):
        for name, hint in hints(params).items():
            if name != "type":
                self.field(name, hint)

    def field(self, name, hint):
        handling = self.page.handling("Fields", name)
        self.expect(handling, f"field {name}")
        # The first ones have their own tables. A model's name is any text.
        if handling not in OPEN or name in ("input", "tools", "tool_choice", "include", "text.format", "model"):
            return
        self.value(name, literals(hint))
        for inner in objects(hint):
            for key, inner_hint in hints(inner).items():
                self.field(f"{name}.{key}", inner_hint)

    def value(self, path, values):
        for value in sorted(values - self.page.values(path) - {True, False}, key=str):
            self.missing.add(f"value {value} of {path}")

    def things(self, kind, heading, hint):
        """Items, parts or tools."""
        for of in objects(hint):
            for name in type_names(of) or {"message"}:
                handling = self.page.handling(heading, name)
                self.expect(handling, f"{kind} {name}")
                if handling in OPEN:
                    self.keys(name, "", of)

    def keys(self, owner, prefix, of):
        for key, hint in hints(of).items():
            path = prefix + key
            if key == "type":
                if prefix:
                    self.value(f"{owner}.{path}", literals(hint))
                continue
            handling = self.page.key(owner, path)
            self.expect(handling, f"key {path} of {owner}")
            if handling not in OPEN or path == "text.format":
                continue
            self.value(f"{owner}.{path}", literals(hint))
            if key in PARTS:
                self.things("part", "Content parts", hint)
            elif key == "tools":
                self.things("tool", "Tools", hint)
            else:
                for inner in objects(hint):
                    self.keys(owner, f"{path}.", inner)

    def choices(self, hint):
        names = {name.strip('"') for name in self.page.names("tool_choice")}
        known = names | {found for name in names for found in re.findall(r'"type": "([^"]*)"', name)}
        values = literals(hint) | {name for of in objects(hint) for name in type_names(of)}
        for value in values - known:
            self.missing.add(f"tool_choice {value}")

    def formats(self, hint):
        for of in objects(hint):
            for name in type_names(of):
                self.expect(self.page.handling("text.format", name), f"text.format {name}")

    def include(self, hint):
        for value in literals(hint) - self.page.names("include"):
            self.missing.add(f"include {value}")

    def events(self, *unions):
        known = self.page.names("Events", "Events that are not sent")
        for union in unions:
            for of in members(union):
                for name in type_names(of) - known:
                    self.missing.add(f"event {name}")

    def response(self, of):
        known = self.page.names("Keys of the response")
        for key, hint in hints(of).items():
            self.expect(key in known, f"response key {key}")
            # The codes of errors are in docs/errors.md.
            if key in ("status", "incomplete_details"):
                self.answers(f"response.{key}", hint)
            if key in ("error", "usage"):
                self.inner(key, hint)

    def answers(self, path, hint):
        self.value(path, literals(hint))
        for inner in objects(hint):
            for key, inner_hint in hints(inner).items():
                self.answers(f"{path}.{key}", inner_hint)

    def inner(self, path, hint):
        for of in objects(hint):
            for key, inner_hint in hints(of).items():
                value = self.page.handling("Keys of the response", f"{path}.{key}")
                self.expect(value, f"response key {path}.{key}")
                if value and not value.startswith("Absent"):
                    self.inner(f"{path}.{key}", inner_hint)

    def output(self, items, text):
        sent = self.page.names("Items of the reply")
        known = sent | self.page.names("Items of input")
        for of in objects(items):
            for name in type_names(of):
                self.expect(name in known, f"output item {name}")
                for key in hints(of) if name in sent else ():
                    self.expect(key == "type" or self.page.key(name, key), f"key {key} of {name} in a reply")
        for of in objects(hints(text)["annotations"]):
            for name in type_names(of) - self.page.names("Annotations"):
                self.missing.add(f"annotation {name}")


def check(page, package, prefix):
    """`prefix`: what the names of the types begin with."""

    def load(module, name):
        return getattr(importlib.import_module(f"openai.types.{package}.{module}"), name)

    def of(stem):
        return load(f"{prefix.lower()}{'_' if prefix else ''}{stem}", prefix + "".join(word.capitalize() for word in stem.split("_")))

    found = Check(page)
    create = load("response_create_params", "ResponseCreateParamsNonStreaming")
    for params in (
        create,
        load("response_create_params", "ResponseCreateParamsStreaming"),
        load("response_compact_params", "ResponseCompactParams"),
        importlib.import_module("openai.types.responses.input_token_count_params").InputTokenCountParams,
    ):
        found.fields(params)
    client = of("responses_client_event_param")
    for event in objects(client):
        if "response.create" in type_names(event):
            found.fields(event)
    found.things("item", "Items of input", hints(create)["input"])
    found.things("tool", "Tools", hints(create)["tools"])
    found.choices(hints(create)["tool_choice"])
    found.formats(hints(of("response_text_config_param"))["format"])
    found.include(hints(create)["include"])
    found.events(of("response_stream_event"), of("responses_server_event"), client)
    found.response(of("response"))
    found.output(of("response_output_item"), of("response_output_text"))
    return found.missing


def main():
    page = Page(Path(sys.argv[1] if len(sys.argv) > 1 else PAGE).read_text())
    missing = check(page, "responses", "") | check(page, "beta", "Beta")
    for what in sorted(missing):
        print(what)
    print(f"{len(missing)} without a row: openai {openai.__version__}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

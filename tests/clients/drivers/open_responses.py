"""The published types of the Open Responses specification, as a judge: what of the job's `values` they refuse."""

import json
import sys

from openresponses_types import types
from pydantic import ValidationError


def shapes():
    """The model of each event by its type, and of the objects by theirs."""
    for name, model in vars(types).items():
        if name.endswith("StreamingEvent"):
            kind = model.model_fields["type"].annotation
            yield next(iter(kind)).value, model
    yield "response", types.ResponseResource
    yield "response.compaction", types.CompactResource


SHAPES = dict(shapes())


def refusals(value):
    model = SHAPES.get(value.get("type") or value.get("object"))
    if model is None:
        return [f"no shape for {value}"]
    try:
        model.model_validate(value)
        return []
    except ValidationError as failure:
        return [f"{'.'.join(map(str, error['loc']))}: {error['msg']} in {value}" for error in failure.errors()]


for line in sys.stdin:
    found = [refusal for value in json.loads(line)["values"] for refusal in refusals(value)]
    print(json.dumps({"refused": found}), flush=True)

"""Simon Willison's `llm`, with a model that has `responses: true`. Modes: `prompt`, `stream`."""

import json

import llm
from llm.default_plugins.openai_models import Responses
from openai import APIError

from jobs import INSTRUCTIONS, PROMPT, Weather, api_error, error, get_weather, serve

OPTIONS = {"max_output_tokens": "max_tokens"}


def ask(job):
    model = Responses(
        "m",
        key="key",
        model_name="m",
        api_base=job["base_url"],
        reasoning=True,
        supports_schema=True,
        supports_tools=True,
    )
    ran = []

    def weather(city: str) -> str:
        """Tells the weather of a city."""
        ran.append(["get_weather", {"city": city}])
        return get_weather(city)

    request = {"system": INSTRUCTIONS, "stream": job["mode"] == "stream"}
    request |= options(job.get("request", {}))
    if job.get("schema"):
        request["schema"] = Weather
    try:
        if job.get("tools"):
            *_, last = model.chain(
                PROMPT, tools=[llm.Tool.function(weather, name="get_weather")], **request
            ).responses()
        else:
            last = model.prompt(PROMPT, **request)
        return outcome(last, ran, job.get("schema"))
    except APIError as failure:
        return {"ran": ran} | api_error(failure)
    except llm.ModelError as failure:
        return {"ran": ran} | error(failure, message=str(failure))


def options(request):
    known = {OPTIONS[key]: value for key, value in request.items() if key in OPTIONS}
    if "reasoning" in request:
        known["reasoning_effort"] = request["reasoning"]["effort"]
    return known


def outcome(response, ran, schema):
    text, usage = response.text(), response.usage()
    return {
        "text": None if schema else text,
        "parsed": json.loads(text) if schema else None,
        "ran": ran,
        "usage": [usage.input, usage.output],
    }


serve(ask)

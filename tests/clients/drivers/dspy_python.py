"""DSPy's `LM` with `model_type="responses"`. Modes: `call`, `async`."""

import json

import dspy
from dspy.utils.exceptions import LMError

from jobs import INSTRUCTIONS, PARAMETERS, PROMPT, Weather, error, get_weather, serve

SETTINGS = {"max_output_tokens": "max_tokens", "reasoning": "reasoning"}
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Tells the weather of a city.", "parameters": PARAMETERS},
}


async def ask(job):
    settings = {SETTINGS[key]: value for key, value in job.get("request", {}).items()}
    model = dspy.LM(
        "openai/m",
        model_type="responses",
        api_base=job["base_url"],
        api_key="key",
        cache=False,
        num_retries=job.get("retries", 0),
        **settings,
    )
    request = {"messages": [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": PROMPT}]}
    if job.get("tools"):
        request["tools"] = [TOOL]
    if job.get("schema"):
        request["response_format"] = Weather
    ran = []
    try:
        while True:
            said = (await model.acall(**request) if job["mode"] == "async" else model(**request))[0]
            said = said if isinstance(said, dict) else {"text": said}
            if not said.get("tool_calls"):
                return outcome(said, model, ran, job.get("schema"))
            request["messages"].append({"role": "assistant", "content": said["text"], "tool_calls": said["tool_calls"]})
            request["messages"] += [output(call, ran) for call in said["tool_calls"]]
    except LMError as failure:
        # Advice follows.
        message = failure.message.split("\n")[0].removesuffix(f" ({failure.provider_code})")
        return {"ran": ran} | error(failure, status=failure.status, code=failure.provider_code, message=message)


def output(call, ran):
    """Runs a tool."""
    given = json.loads(call["function"]["arguments"])
    ran.append([call["function"]["name"], given])
    return {"role": "tool", "tool_call_id": call["id"], "content": get_weather(**given)}


def outcome(said, model, ran, schema):
    usage = model.history[-1]["usage"]
    return {
        "text": None if schema else said["text"],
        "parsed": json.loads(said["text"]) if schema else None,
        "reasoning": said.get("reasoning_content"),
        "ran": ran,
        "usage": [usage.get("prompt_tokens"), usage.get("completion_tokens")],
    }


serve(ask)

"""CrewAI's `LLM` with `api="responses"`. Modes: `call`, `stream`."""

import json

from crewai import LLM
from crewai.utilities.exceptions.context_window_exceeding_exception import LLMContextLengthExceededError
from openai import APIError

from jobs import INSTRUCTIONS, PARAMETERS, PROMPT, Weather, api_error, error, get_weather, serve

SETTINGS = {
    "max_output_tokens": lambda value: {"max_completion_tokens": value},
    "reasoning": lambda value: {"reasoning_effort": value["effort"]},
}
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Tells the weather of a city.", "parameters": PARAMETERS},
}


def ask(job):
    settings = {}
    for key, value in job.get("request", {}).items():
        settings |= SETTINGS[key](value)
    model = LLM(
        model="openai/m",
        api="responses",
        base_url=job["base_url"],
        api_key="key",
        stream=job["mode"] == "stream",
        max_retries=job.get("retries", 0),
        **settings,
    )
    messages = [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": PROMPT}]
    ran = []
    try:
        while True:
            said = model.call(
                messages,
                tools=[TOOL] if job.get("tools") else None,
                response_model=Weather if job.get("schema") else None,
            )
            if not isinstance(said, list):
                break
            calls = [{"id": call["id"], "type": "function", "function": call} for call in said]
            messages.append({"role": "assistant", "content": None, "tool_calls": calls})
            messages += [output(call, ran) for call in said]
    except APIError as failure:
        return {"ran": ran} | api_error(failure)
    except (LLMContextLengthExceededError, ValueError) as failure:
        # The error of the SDK is inside.
        return {"ran": ran} | error(
            failure, message=api_error(failure.__cause__ or failure.__context__)["error"]["message"]
        )
    usage = model.get_token_usage_summary()
    return {
        "text": None if job.get("schema") else said,
        "parsed": said.model_dump() if isinstance(said, Weather) else None,
        "ran": ran,
        "usage": [usage.prompt_tokens, usage.completion_tokens],
    }


def output(call, ran):
    """Runs a tool."""
    given = json.loads(call["arguments"])
    ran.append([call["name"], given])
    return {"role": "tool", "tool_call_id": call["id"], "content": get_weather(**given)}


serve(ask)

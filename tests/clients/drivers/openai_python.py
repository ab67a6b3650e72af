"""openai-python. Modes: `create`, `stream` (the helper that puts events together), `async` (the events themselves)."""

import json

from openai import APIError, AsyncOpenAI, OpenAI

from jobs import INSTRUCTIONS, PROMPT, Weather, error, get_weather, serve

TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
CUSTOM = {"type": "custom", "name": "run", "description": "Runs a script.", "format": {"type": "text"}}


async def ask(job):
    connection = {"base_url": job["base_url"], "api_key": "key", "max_retries": job.get("retries", 0)}
    request = {"model": "m", "instructions": INSTRUCTIONS, "input": [{"role": "user", "content": PROMPT}]}
    request |= job.get("request", {})
    if job.get("tools"):
        request["tools"] = [TOOL, CUSTOM]
    if job.get("schema"):
        request["text_format"] = Weather
    turn = {"create": create, "stream": stream, "async": events}[job["mode"]]
    ran = []
    try:
        while True:
            response, streamed = await turn(connection, request)
            calls = [item for item in response.output if item.type.endswith("_call")]
            outputs = [output(call, ran) for call in calls if call.status == "completed"]
            if not outputs:
                return outcome(response, ran, streamed)
            request["input"] += response.output + outputs
    except APIError as failure:
        return {"ran": ran} | error(failure, code=failure.code, param=failure.param, message=failure.message)


async def create(connection, request):
    with OpenAI(**connection) as client:
        method = client.responses.parse if "text_format" in request else client.responses.create
        return method(**request), None


async def stream(connection, request):
    streamed, last = "", None
    with OpenAI(**connection) as client, client.responses.stream(**request) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                streamed += event.delta
            last = event
        # The helper only supports this last event.
        final = events.get_final_response() if last.type == "response.completed" else last.response
        return final, streamed


async def events(connection, request):
    async with AsyncOpenAI(**connection) as client:
        if "text_format" in request:
            async with client.responses.stream(**request) as parsed:
                return await parsed.get_final_response(), None
        streamed, response = "", None
        async for event in await client.responses.create(**request, stream=True):
            if event.type == "response.output_text.delta":
                streamed += event.delta
            response = getattr(event, "response", response)
        return response, streamed


def output(item, ran):
    """Runs a tool."""
    if item.type == "custom_tool_call":
        ran.append(["run", item.input])
        return {"type": "custom_tool_call_output", "call_id": item.call_id, "output": "done"}
    arguments = json.loads(item.arguments)
    ran.append([item.name, arguments])
    return {"type": "function_call_output", "call_id": item.call_id, "output": get_weather(**arguments)}


def outcome(response, ran, streamed):
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    thoughts = [part.text for item in response.output if item.type == "reasoning" for part in item.summary]
    assert streamed is None or streamed == response.output_text, streamed
    parsed = getattr(response, "output_parsed", None)
    return {
        "text": None if parsed else response.output_text,
        "refusal": "".join(part.refusal for part in parts if part.type == "refusal"),
        "reasoning": "".join(thoughts),
        "ran": ran,
        "parsed": parsed and parsed.model_dump(),
        "finish": response.incomplete_details.reason if response.incomplete_details else response.status,
        "usage": response.usage and [response.usage.input_tokens, response.usage.output_tokens],
    }


serve(ask)

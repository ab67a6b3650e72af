"""The OpenAI Agents SDK for Python. Modes: `run`, `stream`. With `handoff` a first agent hands over to a second one."""

import json

from agents import Agent, AgentsException, CustomTool, ModelSettings, OpenAIResponsesModel, Runner
from agents import function_tool, set_tracing_disabled
from openai import APIError, AsyncOpenAI
from openai.types.shared import Reasoning

from jobs import INSTRUCTIONS, PROMPT, Weather, error, get_weather, serve

set_tracing_disabled(True)


async def ask(job):
    ran = []

    @function_tool(name_override="get_weather")
    def weather(city: str) -> str:
        """Tells the weather of a city."""
        ran.append(["get_weather", {"city": city}])
        return get_weather(city)

    async def run(_, script):
        ran.append(["run", script])
        return "done"

    custom = CustomTool(name="run", description="Runs a script.", on_invoke_tool=run, format={"type": "text"})
    client = AsyncOpenAI(base_url=job["base_url"], api_key="key", max_retries=job.get("retries", 0))
    agent = Agent(
        name="weather agent",
        instructions=INSTRUCTIONS,
        model=OpenAIResponsesModel("m", client),
        model_settings=ModelSettings(**settings(job.get("request", {}))),
        tools=[weather, custom] if job.get("tools") else [],
        output_type=Weather if job.get("schema") else None,
    )
    if job.get("handoff"):
        agent = Agent(name="Front desk", model=agent.model, handoffs=[agent])
    try:
        return outcome(agent, *await turn(agent, job["mode"]), ran)
    except APIError as failure:
        return {"ran": ran} | error(failure, code=failure.code, message=failure.message)
    except AgentsException as failure:
        return {"ran": ran} | error(failure, message=str(failure))


def settings(request):
    known = {"max_output_tokens": "max_tokens", "reasoning": "reasoning"}
    settings = {known[key]: value for key, value in request.items()}
    return settings | {"reasoning": Reasoning(**settings["reasoning"])} if "reasoning" in settings else settings


async def turn(agent, mode):
    if mode == "run":
        return await Runner.run(agent, PROMPT), None
    result, streamed = Runner.run_streamed(agent, PROMPT), ""
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            streamed += event.data.delta
    return result, streamed


def outcome(first, result, streamed, ran):
    last = result.raw_responses[-1]
    thoughts = [part.text for item in last.output if item.type == "reasoning" for part in item.summary]
    parts = [part for item in last.output if item.type == "message" for part in item.content]
    text = "".join(part.text for part in parts if part.type == "output_text")
    assert streamed is None or streamed.endswith(text), streamed
    parsed = result.final_output if isinstance(result.final_output, Weather) else None
    return {
        "agent": result.last_agent.name if result.last_agent is not first else None,
        "text": None if parsed else text,
        "refusal": "".join(part.refusal for part in parts if part.type == "refusal"),
        "reasoning": "".join(thoughts),
        "ran": ran,
        "parsed": parsed and parsed.model_dump(),
        "usage": [last.usage.input_tokens, last.usage.output_tokens],
    }


serve(ask)

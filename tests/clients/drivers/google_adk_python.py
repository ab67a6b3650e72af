"""Google's ADK with its `OpenAIResponsesLlm`. Modes: `run`, `stream`."""

import json

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.integrations.openai import OpenAIGenerateContentConfig, OpenAIResponsesLlm
from google.adk.runners import InMemoryRunner
from google.genai import types
from openai import APIError, AsyncOpenAI

from jobs import INSTRUCTIONS, PROMPT, Weather, api_error, get_weather, serve


async def ask(job):
    ran = []

    def weather(city: str) -> str:
        """Tells the weather of a city."""
        ran.append(["get_weather", {"city": city}])
        return get_weather(city)

    weather.__name__ = "get_weather"
    request = job.get("request", {})
    client = AsyncOpenAI(base_url=job["base_url"], api_key="key", max_retries=job.get("retries", 0))
    agent = LlmAgent(
        name="weather_agent",
        model=OpenAIResponsesLlm(model="m", client=client, reasoning=request.get("reasoning")),
        instruction=INSTRUCTIONS,
        tools=[weather] if job.get("tools") else [],
        output_schema=Weather if job.get("schema") else None,
        generate_content_config=OpenAIGenerateContentConfig(max_output_tokens=request.get("max_output_tokens")),
    )
    try:
        return outcome(await turn(agent, job["mode"]), ran, job.get("schema"))
    except APIError as failure:
        return {"ran": ran} | api_error(failure)


async def turn(agent, mode):
    """The last event, and the text that was streamed before it."""
    runner = InMemoryRunner(agent=agent, app_name="test")
    session = await runner.session_service.create_session(app_name="test", user_id="user")
    streaming = StreamingMode.SSE if mode == "stream" else StreamingMode.NONE
    last = None
    async for event in runner.run_async(
        user_id="user",
        session_id=session.id,
        new_message=types.Content(role="user", parts=[types.Part(text=PROMPT)]),
        run_config=RunConfig(streaming_mode=streaming),
    ):
        last = event if not event.partial else last
    return last


def outcome(event, ran, schema):
    if event.error_code and event.content is None:
        return {"ran": ran, "error": {"class": event.error_code, "message": event.error_message}}
    parts = event.content.parts
    text = "".join(part.text for part in parts if part.text and not part.thought)
    usage = event.usage_metadata
    return {
        "text": None if schema else text,
        "parsed": json.loads(text) if schema else None,
        "reasoning": "".join(part.text for part in parts if part.text and part.thought),
        "ran": ran,
        "finish": event.finish_reason and event.finish_reason.name,
        "usage": usage and [usage.prompt_token_count, usage.candidates_token_count],
    }


serve(ask)

"""pydantic-ai's `OpenAIResponsesModel`. Modes: `run`, `stream`."""

from openai import APIError, AsyncOpenAI
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.exceptions import AgentRunError, ModelHTTPError
from pydantic_ai.messages import ModelResponse, ThinkingPart
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.providers.openai import OpenAIProvider

from jobs import INSTRUCTIONS, PROMPT, Weather, error, get_weather, serve

SETTINGS = {
    "max_output_tokens": lambda value: {"max_tokens": value},
    "reasoning": lambda value: {
        "openai_reasoning_effort": value["effort"],
        "openai_reasoning_summary": value["summary"],
    },
}


async def ask(job):
    ran = []

    def weather(city: str) -> str:
        """Tells the weather of a city."""
        ran.append(["get_weather", {"city": city}])
        return get_weather(city)

    client = AsyncOpenAI(base_url=job["base_url"], api_key="key", max_retries=job.get("retries", 0))
    settings = OpenAIResponsesModelSettings()
    for key, value in job.get("request", {}).items():
        settings |= SETTINGS[key](value)
    agent = Agent(
        OpenAIResponsesModel("m", provider=OpenAIProvider(openai_client=client)),
        instructions=INSTRUCTIONS,
        model_settings=settings,
        output_type={True: NativeOutput(Weather), "tool": Weather}.get(job.get("schema"), str),
    )
    if job.get("tools"):
        agent.tool_plain(name="get_weather")(weather)
    try:
        # With an event handler, a stream is requested.
        result = await agent.run(PROMPT, event_stream_handler=watch if job["mode"] == "stream" else None)
        return outcome(result.output, result.all_messages(), ran)
    except ModelHTTPError as failure:
        body = failure.body if isinstance(failure.body, dict) else {}
        return {"ran": ran} | error(failure, code=body.get("code"), message=body.get("message"))
    except (AgentRunError, APIError) as failure:
        return {"ran": ran} | error(failure, message=str(failure).split(", body:")[0])


async def watch(_, events):
    async for _ in events:
        pass


def outcome(output, messages, ran):
    last = [message for message in messages if isinstance(message, ModelResponse)][-1]
    return {
        "text": output if isinstance(output, str) else None,
        "parsed": output.model_dump() if isinstance(output, Weather) else None,
        "reasoning": "".join(part.content for part in last.parts if isinstance(part, ThinkingPart)),
        "ran": ran,
        "finish": last.finish_reason,
        "usage": [last.usage.input_tokens, last.usage.output_tokens],
    }


serve(ask)

"""pydantic-ai with `openai_previous_response_id="auto"`. Modes: `run`, `stream`."""

from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.providers.openai import OpenAIProvider

from jobs import INSTRUCTIONS, noted, serve


async def ask(job):
    ran, said, history = [], [], None
    client = AsyncOpenAI(base_url=job["base_url"], api_key="key")
    agent = Agent(
        OpenAIResponsesModel("m", provider=OpenAIProvider(openai_client=client)),
        instructions=INSTRUCTIONS,
        model_settings=OpenAIResponsesModelSettings(openai_previous_response_id="auto"),
        tools=[noted(ran)],
    )
    for question in job["questions"]:
        handler = watch if job["mode"] == "stream" else None
        result = await agent.run(question, message_history=history, event_stream_handler=handler)
        said.append(result.output)
        history = result.all_messages()
    return {"said": said, "ran": ran}


async def watch(_, events):
    async for _ in events:
        pass


serve(ask)

"""Strands Agents with a `stateful` model. Mode: `stream`, the only one that it has."""

from strands import Agent, tool
from strands.models.openai_responses import OpenAIResponsesModel

from jobs import INSTRUCTIONS, noted, serve


async def ask(job):
    ran = []
    model = OpenAIResponsesModel(
        client_args={"base_url": job["base_url"], "api_key": "key"}, model_id="m", stateful=True
    )
    agent = Agent(model=model, system_prompt=INSTRUCTIONS, tools=[tool(noted(ran))], callback_handler=None)
    return {"said": [str(await agent.invoke_async(question)).strip() for question in job["questions"]], "ran": ran}


serve(ask)

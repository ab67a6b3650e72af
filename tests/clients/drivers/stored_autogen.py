"""AutoGen's `OpenAIAgent`, which has no tools of the client's own and does not stream. Mode: `run`."""

from autogen_ext.agents.openai import OpenAIAgent
from openai import AsyncOpenAI

from jobs import INSTRUCTIONS, serve


async def ask(job):
    client = AsyncOpenAI(base_url=job["base_url"], api_key="key")
    agent = OpenAIAgent("agent", "An agent.", client, "m", INSTRUCTIONS)
    return {"said": [(await agent.run(task=question)).messages[-1].content for question in job["questions"]]}


serve(ask)

"""Microsoft Agent Framework's agent over its `OpenAIChatClient`, with nothing set. Modes: `run`, `stream`."""

from agent_framework import Agent
from agent_framework.openai import OpenAIChatClient

from jobs import INSTRUCTIONS, noted, serve


async def ask(job):
    ran = []
    client = OpenAIChatClient(model="m", base_url=job["base_url"], api_key="key")
    agent = Agent(client=client, instructions=INSTRUCTIONS, tools=[noted(ran)])
    session = agent.create_session()
    return {"said": [await turn(agent, session, question, job["mode"]) for question in job["questions"]], "ran": ran}


async def turn(agent, session, question, mode):
    if mode == "run":
        return (await agent.run(question, session=session)).messages[-1].text
    stream = agent.run(question, session=session, stream=True)
    async for _ in stream:
        pass
    return (await stream.get_final_response()).messages[-1].text


serve(ask)

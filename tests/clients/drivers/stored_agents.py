"""The OpenAI Agents SDK for Python with `auto_previous_response_id`. Modes: `run`, `stream`."""

from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

from jobs import INSTRUCTIONS, noted, serve

set_tracing_disabled(True)


async def ask(job):
    ran, said, previous = [], [], None
    client = AsyncOpenAI(base_url=job["base_url"], api_key="key")
    model = OpenAIResponsesModel("m", client)
    agent = Agent(name="agent", instructions=INSTRUCTIONS, model=model, tools=[function_tool(noted(ran))])
    for question in job["questions"]:
        result = await turn(agent, question, job["mode"], previous_response_id=previous, auto_previous_response_id=True)
        said.append(result.final_output)
        previous = result.last_response_id
    return {"said": said, "ran": ran}


async def turn(agent, question, mode, **state):
    if mode == "run":
        return await Runner.run(agent, question, **state)
    result = Runner.run_streamed(agent, question, **state)
    async for _ in result.stream_events():
        pass
    return result


serve(ask)

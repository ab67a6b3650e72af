"""Semantic Kernel's `OpenAIResponsesAgent`, with nothing set. Modes: `run`, `stream`."""

from openai import AsyncOpenAI
from semantic_kernel.agents import OpenAIResponsesAgent
from semantic_kernel.functions import KernelPlugin, kernel_function

from jobs import INSTRUCTIONS, noted, serve


async def ask(job):
    ran, said, thread = [], [], None
    agent = OpenAIResponsesAgent(
        ai_model_id="m",
        client=AsyncOpenAI(base_url=job["base_url"], api_key="key"),
        name="agent",
        instructions=INSTRUCTIONS,
        plugins=[KernelPlugin(name="tools", functions=[kernel_function(noted(ran))])],
    )
    for question in job["questions"]:
        text, thread = await turn(agent, thread, question, job["mode"])
        said.append(text)
    return {"said": said, "ran": ran}


async def turn(agent, thread, question, mode):
    if mode == "run":
        reply = await agent.get_response(question, thread=thread)
        return str(reply.message), reply.thread
    said = []

    async def begin_anew(_):
        said.clear()

    async for chunk in agent.invoke_stream(question, thread=thread, on_intermediate_message=begin_anew):
        thread = chunk.thread
        said.append(str(chunk.message))
    return "".join(said), thread


serve(ask)

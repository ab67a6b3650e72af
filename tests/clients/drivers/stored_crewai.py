"""CrewAI's `LLM` with `auto_chain`. Mode: `call`, because it loses calls in a stream."""

import json

from crewai import LLM

from jobs import INSTRUCTIONS, PARAMETERS, noted, serve

TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Tells the weather of a city.", "parameters": PARAMETERS},
}


def ask(job):
    ran, said = [], []
    model = LLM(
        model="openai/m",
        api="responses",
        base_url=job["base_url"],
        api_key="key",
        auto_chain=True,
    )
    system = {"role": "system", "content": INSTRUCTIONS}
    for question in job["questions"]:
        reply = model.call([system, {"role": "user", "content": question}], tools=[TOOL])
        while isinstance(reply, list):
            reply = model.call([system, *(output(call, ran) for call in reply)], tools=[TOOL])
        said.append(reply)
    return {"said": said, "ran": ran}


def output(call, ran):
    """Runs a tool."""
    answer = noted(ran)(**json.loads(call["arguments"]))
    return {"role": "tool", "tool_call_id": call["id"], "content": answer}


serve(ask)

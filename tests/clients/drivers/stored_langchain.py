"""LangChain's `ChatOpenAI` with `use_previous_response_id`. Modes: `invoke`, `stream`."""

import functools
import operator

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from jobs import INSTRUCTIONS, noted, serve


def ask(job):
    ran, said, messages = [], [], [SystemMessage(INSTRUCTIONS)]
    weather = tool(noted(ran))
    model = ChatOpenAI(model="m", base_url=job["base_url"], api_key="key", use_previous_response_id=True)
    model = model.bind_tools([weather])
    for question in job["questions"]:
        messages.append(HumanMessage(question))
        messages.append(turn(model, messages, job["mode"]))
        while calls := messages[-1].tool_calls:
            messages += [weather.invoke(call) for call in calls]
            messages.append(turn(model, messages, job["mode"]))
        said.append(messages[-1].text)
    return {"said": said, "ran": ran}


def turn(model, messages, mode):
    if mode == "invoke":
        return model.invoke(messages)
    return functools.reduce(operator.add, model.stream(messages))


serve(ask)

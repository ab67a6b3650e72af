"""LlamaIndex's `OpenAIResponses` with `track_previous_responses`. Modes: `chat`, `stream`."""

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAIResponses

from jobs import INSTRUCTIONS, noted, serve


def ask(job):
    ran, said = [], []
    weather = FunctionTool.from_defaults(noted(ran))
    model = OpenAIResponses(
        model="m",
        api_base=job["base_url"],
        api_key="key",
        context_window=128000,
        instructions=INSTRUCTIONS,
        track_previous_responses=True,
    )
    for question in job["questions"]:
        reply = turn(model, weather, [ChatMessage(role="user", content=question)], job["mode"])
        while calls := model.get_tool_calls_from_response(reply, error_on_no_tool_call=False):
            outputs = [output(weather, call) for call in calls]
            reply = turn(model, weather, outputs, job["mode"])
        said.append(reply.message.content)
    return {"said": said, "ran": ran}


def turn(model, weather, messages, mode):
    method = model.chat_with_tools if mode == "chat" else model.stream_chat_with_tools
    reply = method([weather], chat_history=messages, allow_parallel_tool_calls=True)
    return reply if mode == "chat" else list(reply)[-1]


def output(weather, call):
    answer = str(weather(**call.tool_kwargs))
    return ChatMessage(role="tool", content=answer, additional_kwargs={"call_id": call.tool_id})


serve(ask)

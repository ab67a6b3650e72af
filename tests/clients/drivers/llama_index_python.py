"""LlamaIndex's `OpenAIResponses`. Modes: `chat`, `stream`."""

from llama_index.core.base.llms.types import ThinkingBlock
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAIResponses
from openai import APIError

from jobs import INSTRUCTIONS, PROMPT, Weather, api_error, get_weather, serve

SETTINGS = {"max_output_tokens": "max_output_tokens", "reasoning": "reasoning_options"}


def ask(job):
    settings = {SETTINGS[key]: value for key, value in job.get("request", {}).items()}
    model = OpenAIResponses(
        model="m",
        api_base=job["base_url"],
        api_key="key",
        context_window=128000,
        max_retries=job.get("retries", 0),
        **settings,
    )
    messages = [ChatMessage(role="system", content=INSTRUCTIONS), ChatMessage(role="user", content=PROMPT)]
    ran = []
    try:
        if job.get("schema"):
            # In a stream it would ask for a call of a tool instead.
            return {"parsed": model.as_structured_llm(Weather).chat(messages).raw.model_dump()}
        while True:
            reply, streamed = last(model, messages, job)
            calls = model.get_tool_calls_from_response(reply, error_on_no_tool_call=False)
            if not calls:
                return outcome(reply, ran, streamed)
            messages.append(reply.message)
            for call in calls:
                ran.append([call.tool_name, call.tool_kwargs])
                answer = get_weather(**call.tool_kwargs)
                messages.append(ChatMessage(role="tool", content=answer, additional_kwargs={"call_id": call.tool_id}))
    except APIError as failure:
        return {"ran": ran} | api_error(failure)


def last(model, messages, job):
    """The last reply, and the text that was streamed."""
    stream = job["mode"] == "stream"
    if job.get("tools"):
        method = model.stream_chat_with_tools if stream else model.chat_with_tools
        tools = [FunctionTool.from_defaults(get_weather)]
        reply = method(tools, chat_history=messages, allow_parallel_tool_calls=True)
    else:
        reply = model.stream_chat(messages) if stream else model.chat(messages)
    if not stream:
        return reply, None
    *chunks, reply = reply
    return reply, "".join(chunk.delta or "" for chunk in chunks)


def outcome(reply, ran, streamed):
    thoughts = [block.content for block in reply.message.blocks if isinstance(block, ThinkingBlock)]
    usage = reply.additional_kwargs.get("usage")
    return {
        # The last chunk of a stream that ends incomplete has no text.
        "text": reply.message.content or streamed,
        "reasoning": "".join(filter(None, thoughts)),
        "ran": ran,
        "usage": usage and [usage.input_tokens, usage.output_tokens],
    }


serve(ask)

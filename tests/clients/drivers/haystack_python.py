"""Haystack's `OpenAIResponsesChatGenerator`. Modes: `run`, `stream`."""

import json

from haystack.components.generators.chat import OpenAIResponsesChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import create_tool_from_function
from haystack.utils import Secret
from openai import APIError

from jobs import INSTRUCTIONS, PROMPT, Weather, api_error, get_weather, serve


def ask(job):
    more = {"text_format": Weather} if job.get("schema") else {}
    chunks = []
    generator = OpenAIResponsesChatGenerator(
        api_key=Secret.from_token("key"),
        model="m",
        api_base_url=job["base_url"],
        max_retries=job.get("retries", 0),
        generation_kwargs=job.get("request", {}) | more,
        # It does not stream structured output.
        streaming_callback=chunks.append if job["mode"] == "stream" and not more else None,
        tools=[create_tool_from_function(get_weather)] if job.get("tools") else None,
    )
    messages = [ChatMessage.from_system(INSTRUCTIONS), ChatMessage.from_user(PROMPT)]
    ran = []
    try:
        while True:
            [reply] = generator.run(messages)["replies"]
            if not reply.tool_calls:
                return outcome(reply, ran, job.get("schema"))
            messages.append(reply)
            for call in reply.tool_calls:
                ran.append([call.tool_name, call.arguments])
                messages.append(ChatMessage.from_tool(get_weather(**call.arguments), origin=call))
    except APIError as failure:
        return {"ran": ran} | api_error(failure)


def outcome(reply, ran, schema):
    usage = reply.meta.get("usage") or {}
    return {
        "text": None if schema else reply.text,
        "parsed": json.loads(reply.text) if schema else None,
        "reasoning": reply.reasoning and reply.reasoning.reasoning_text,
        "ran": ran,
        "finish": reply.meta.get("finish_reason"),
        "usage": [usage.get("input_tokens"), usage.get("output_tokens")],
    }


serve(ask)

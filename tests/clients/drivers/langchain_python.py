"""LangChain's `ChatOpenAI` over the Responses API. Modes: `invoke`, `stream`, `async`."""

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, custom_tool
from openai import APIError

from jobs import INSTRUCTIONS, PROMPT, Weather, error, get_weather, serve


async def ask(job):
    ran = []

    @tool("get_weather")
    def weather(city: str) -> str:
        """Tells the weather of a city."""
        ran.append(["get_weather", {"city": city}])
        return get_weather(city)

    @custom_tool("run")
    def run(script: str) -> str:
        """Runs a script."""
        ran.append(["run", script])
        return "done"

    tools = {"get_weather": weather, "run": run}
    model = ChatOpenAI(
        model="m",
        base_url=job["base_url"],
        api_key="key",
        max_retries=job.get("retries", 0),
        use_responses_api=True,
        output_version="responses/v1",
        stream_usage=True,
        **job.get("request", {}),
    )
    if job.get("tools"):
        model = model.bind_tools(list(tools.values()))
    messages = [SystemMessage(INSTRUCTIONS), HumanMessage(PROMPT)]
    try:
        if job.get("schema"):
            model = model.with_structured_output(Weather, method="json_schema", strict=True)
            return {"parsed": (await turn(model, messages, job["mode"])).model_dump(), "finish": "completed"}
        while True:
            message = await turn(model, messages, job["mode"])
            # It returns calls with incomplete arguments.
            if not message.tool_calls or message.response_metadata.get("incomplete_details"):
                return outcome(message, ran)
            messages.append(message)
            messages += [tools[call["name"]].invoke(call) for call in message.tool_calls]
    except APIError as failure:
        return {"ran": ran} | error(failure, code=failure.code, message=failure.message)


async def turn(model, messages, mode):
    if mode == "invoke":
        return model.invoke(messages)
    if mode == "async":
        return await model.ainvoke(messages)
    whole = None
    for chunk in model.stream(messages):
        whole = chunk if whole is None or isinstance(chunk, Weather) else whole + chunk
    return whole


def outcome(message, ran):
    blocks = message.content if isinstance(message.content, list) else []
    thoughts = [part["text"] for block in blocks if block["type"] == "reasoning" for part in block["summary"]]
    said = message.response_metadata
    incomplete = said.get("incomplete_details")
    return {
        "text": message.text,
        "refusal": "".join(block["refusal"] for block in blocks if block["type"] == "refusal"),
        "reasoning": "".join(thoughts),
        "ran": ran,
        "finish": incomplete["reason"] if incomplete else said.get("status"),
        "usage": message.usage_metadata
        and [message.usage_metadata["input_tokens"], message.usage_metadata["output_tokens"]],
    }


serve(ask)

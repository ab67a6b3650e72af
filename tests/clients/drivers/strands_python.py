"""Strands Agents with its `OpenAIResponsesModel`. Mode: `stream`, the only one that it has."""

from openai import APIError
from strands import Agent, tool
from strands.models.openai_responses import OpenAIResponsesModel
from strands.types.exceptions import ContextWindowOverflowException, MaxTokensReachedException, ModelThrottledException

from jobs import INSTRUCTIONS, PROMPT, Weather, api_error, error, get_weather, serve


async def ask(job):
    ran = []

    @tool(name="get_weather")
    def weather(city: str) -> str:
        """Tells the weather of a city."""
        ran.append(["get_weather", {"city": city}])
        return get_weather(city)

    model = OpenAIResponsesModel(
        client_args={"base_url": job["base_url"], "api_key": "key", "max_retries": job.get("retries", 0)},
        model_id="m",
        params=job.get("request", {}),
    )
    agent = Agent(
        model=model,
        system_prompt=INSTRUCTIONS,
        tools=[weather] if job.get("tools") else [],
        callback_handler=None,
        retry_strategy=None,
    )
    try:
        if job.get("schema"):
            # By default the agent uses a tool for this. Here it uses `text.format`.
            prompt = [{"role": "user", "content": [{"text": PROMPT}]}]
            async for event in model.structured_output(Weather, prompt, INSTRUCTIONS):
                last = event
            return {"parsed": last["output"].model_dump(), "finish": "end_turn"}
        return outcome(await agent.invoke_async(PROMPT), ran)
    except APIError as failure:
        return {"ran": ran} | api_error(failure)
    except ModelThrottledException as failure:
        return {"ran": ran} | error(failure, message=api_error(failure.__cause__)["error"]["message"])
    except (ContextWindowOverflowException, MaxTokensReachedException, RuntimeError) as failure:
        # Advice follows.
        return {"ran": ran} | error(failure, message=str(failure).split(". ")[0])


def outcome(result, ran):
    blocks = result.message["content"]
    thoughts = [block["reasoningContent"] for block in blocks if "reasoningContent" in block]
    usage = result.metrics.accumulated_usage
    return {
        "text": "".join(block.get("text", "") for block in blocks),
        "reasoning": "".join(thought["reasoningText"]["text"] for thought in thoughts),
        "ran": ran,
        "finish": result.stop_reason,
        "usage": [usage["inputTokens"], usage["outputTokens"]],
    }


serve(ask)

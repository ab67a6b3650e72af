"""LiteLLM's functions for stored responses; with `shown`, reads and deletes one. Mode: `responses`.

It makes up the stream of a model that it does not know.
"""

import json

import litellm

from jobs import INSTRUCTIONS, PARAMETERS, noted, serve

TOOL = {"type": "function", "name": "get_weather", "parameters": PARAMETERS}


def ask(job):
    server = {"api_base": job["base_url"], "api_key": "key", "custom_llm_provider": "openai"}
    if "shown" in job:
        return shown(server, job["shown"])
    ran, said, response = [], [], None
    for question in job["questions"]:
        response = turn(server, [{"role": "user", "content": question}], response)
        while calls := [item for item in response.output if item.type == "function_call"]:
            response = turn(server, [output(call, ran) for call in calls], response)
        said.append(response.output_text)
    return {"said": said, "ran": ran, "id": response.id}


def turn(server, items, previous):
    request = {"instructions": INSTRUCTIONS, "tools": [TOOL], "previous_response_id": previous and previous.id}
    return litellm.responses(model="m", input=items, **request, **server)


def output(call, ran):
    answer = noted(ran)(**json.loads(call.arguments))
    return {"type": "function_call_output", "call_id": call.call_id, "output": answer}


def shown(server, id):
    text = litellm.get_responses(id, **server).output_text
    items = litellm.list_input_items(id, order="asc", limit=100, **server)["data"]
    litellm.delete_responses(id, **server)
    try:
        litellm.get_responses(id, **server)
    except litellm.NotFoundError:
        return {"text": text, "items": [item["type"] for item in items], "gone": "response_not_found"}


serve(ask)

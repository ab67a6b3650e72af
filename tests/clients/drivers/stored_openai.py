"""openai-python, by hand: chains responses; with `shown`, reads and deletes one. Modes: `create`, `stream`."""

import json

from openai import NotFoundError, OpenAI

from jobs import INSTRUCTIONS, PARAMETERS, noted, serve

TOOL = {"type": "function", "name": "get_weather", "parameters": PARAMETERS}


def ask(job):
    client = OpenAI(base_url=job["base_url"], api_key="key", max_retries=0)
    if "shown" in job:
        return shown(client, job["shown"])
    ran, said, response = [], [], None
    for question in job["questions"]:
        response = turn(client, [{"role": "user", "content": question}], response, job["mode"])
        while calls := [item for item in response.output if item.type == "function_call"]:
            response = turn(client, [output(call, ran) for call in calls], response, job["mode"])
        said.append(response.output_text)
    return {"said": said, "ran": ran, "id": response.id}


def turn(client, items, previous, mode):
    request = {"model": "m", "instructions": INSTRUCTIONS, "input": items, "tools": [TOOL]}
    if previous:
        request["previous_response_id"] = previous.id
    if mode == "create":
        return client.responses.create(**request)
    with client.responses.stream(**request) as stream:
        return stream.get_final_response()


def output(call, ran):
    answer = noted(ran)(**json.loads(call.arguments))
    return {"type": "function_call_output", "call_id": call.call_id, "output": answer}


def shown(client, id):
    text = client.responses.retrieve(id).output_text
    items = list(client.responses.input_items.list(id, order="asc", limit=2))
    client.responses.delete(id)
    try:
        client.responses.retrieve(id)
    except NotFoundError as failure:
        return {"text": text, "items": [item.type for item in items], "gone": failure.code}


serve(ask)

"""The list of models, as openai-python gets it."""

from openai import OpenAI

from jobs import serve


def ask(job):
    with OpenAI(base_url=job["base_url"], api_key="key") as client:
        return {"models": [model.id for model in client.models.list()]}


serve(ask)

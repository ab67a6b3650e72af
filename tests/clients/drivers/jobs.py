"""What the Python drivers share: a job is a line of JSON on stdin, its outcome a line of JSON on stdout.

A job says how to ask (`base_url`, `mode`, `tools`, `schema`, ...), never what to expect. The outcome is what the client's
own API said, in terms that are the same for all clients; what the client did not say is left out.
"""

import asyncio
import functools
import inspect
import json
import sys
import traceback

from pydantic import BaseModel

PROMPT = "How is the weather?"
INSTRUCTIONS = "Be brief."


class Weather(BaseModel):
    city: str
    celsius: int


# The schema of `get_weather`, for clients that do not write it themselves.
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def get_weather(city: str) -> str:
    """Tells the weather of a city."""
    return f"{city}: sunny"


def noted(ran):
    """The same tool, which notes its calls in `ran`."""

    @functools.wraps(get_weather)
    def noting(city: str) -> str:
        ran.append(city)
        return get_weather(city)

    return noting


def serve(ask):
    """Does one job after the other until stdin ends."""
    # Some frameworks print to stdout.
    outcomes, sys.stdout = sys.stdout, sys.stderr

    async def work():
        for line in sys.stdin:
            job = json.loads(line)
            try:
                outcome = ask(job)
                outcome = await outcome if inspect.isawaitable(outcome) else outcome
            except Exception:
                outcome = {"crash": traceback.format_exc()}
            said = {key: value for key, value in outcome.items() if value not in (None, "", [])}
            print(json.dumps(said), file=outcomes, flush=True)

    asyncio.run(work())


def error(failure, **more):
    """An error, as the client raised it."""
    shown = {"class": type(failure).__name__, "status": getattr(failure, "status_code", None), **more}
    return {"error": {key: value for key, value in shown.items() if value is not None}}


def api_error(failure):
    """An `APIError`, the message as it came: openai-python 2 and 3 put different words around it."""
    body = failure.body if isinstance(failure.body, dict) else {}
    body = body.get("error", body)
    return error(failure, code=failure.code, message=body.get("message", failure.message))

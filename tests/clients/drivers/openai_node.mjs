// openai-node. Modes: `create`, `stream` (the helper that puts the events together), `events` (raw).

import OpenAI, { APIError } from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { INSTRUCTIONS, PROMPT, getWeather, serve, shown } from './jobs.mjs';

const Weather = z.object({ city: z.string(), celsius: z.number().int() });
const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const TOOLS = [
  { type: 'function', name: 'get_weather', description: 'Tells the weather of a city.', parameters, strict: true },
  { type: 'custom', name: 'run', description: 'Runs a script.', format: { type: 'text' } },
];

const turns = {
  create: async (client, request) => [
    request.text ? await client.responses.parse(request) : await client.responses.create(request),
  ],
  stream: async (client, request) => {
    let streamed = '';
    const stream = client.responses.stream(request).on('response.output_text.delta', (event) => {
      streamed += event.delta;
    });
    return [await stream.finalResponse(), streamed];
  },
  events: async (client, request) => {
    let streamed = '';
    let response;
    const events = request.text ? client.responses.stream(request) : client.responses.create({ ...request, stream: true });
    for await (const event of await events) {
      if (event.type === 'response.output_text.delta') streamed += event.delta;
      response = event.response ?? response;
    }
    return [request.text ? await (await events).finalResponse() : response, streamed];
  },
};

async function ask(job) {
  const client = new OpenAI({ baseURL: job.base_url, apiKey: 'key', maxRetries: job.retries ?? 0 });
  const request = { model: 'm', instructions: INSTRUCTIONS, input: [{ role: 'user', content: PROMPT }], ...job.request };
  if (job.tools) request.tools = TOOLS;
  if (job.schema) request.text = { format: zodTextFormat(Weather, 'Weather') };
  const ran = [];
  try {
    for (;;) {
      const [response, streamed] = await turns[job.mode](client, request);
      const calls = response.output.filter((item) => item.type.endsWith('_call') && item.status === 'completed');
      if (calls.length === 0) return outcome(response, ran, streamed);
      request.input.push(...response.output, ...calls.map((call) => output(call, ran)));
    }
  } catch (failure) {
    if (!(failure instanceof APIError)) throw failure;
    return { ran, error: shown(failure) };
  }
}

function output(call, ran) {
  if (call.type === 'custom_tool_call') {
    ran.push(['run', call.input]);
    return { type: 'custom_tool_call_output', call_id: call.call_id, output: 'done' };
  }
  const given = JSON.parse(call.arguments);
  ran.push([call.name, given]);
  return { type: 'function_call_output', call_id: call.call_id, output: getWeather(given) };
}

function outcome(response, ran, streamed) {
  const parts = response.output.filter((item) => item.type === 'message').flatMap((item) => item.content);
  const thoughts = response.output.filter((item) => item.type === 'reasoning').flatMap((item) => item.summary);
  const text = parts.map((part) => part.text ?? '').join('');
  const parsed = response.output_parsed;
  if (streamed !== undefined && streamed !== text) throw new Error(`streamed ${streamed}, not ${text}`);
  return {
    text: parsed ? undefined : text,
    refusal: parts.map((part) => part.refusal ?? '').join(''),
    reasoning: thoughts.map((part) => part.text).join(''),
    ran,
    parsed,
    finish: response.incomplete_details?.reason ?? response.status,
    usage: response.usage && [response.usage.input_tokens, response.usage.output_tokens],
  };
}

await serve(ask);

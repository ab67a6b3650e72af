// The OpenAI Agents SDK for Node. Modes: `run`, `stream`. With `handoff` a first agent hands over to a second one.

import { Agent, AgentsError, OpenAIResponsesModel, run, setTracingDisabled, tool } from '@openai/agents';
import OpenAI, { APIError } from 'openai';
import { z } from 'zod';
import { INSTRUCTIONS, PROMPT, getWeather, serve, shown } from './jobs.mjs';

setTracingDisabled(true);
const Weather = z.object({ city: z.string(), celsius: z.number().int() });

async function ask(job) {
  const ran = [];
  const weather = tool({
    name: 'get_weather',
    description: 'Tells the weather of a city.',
    parameters: z.object({ city: z.string() }),
    execute: (given) => (ran.push(['get_weather', given]), getWeather(given)),
  });
  const { max_output_tokens: maxTokens, reasoning } = job.request ?? {};
  const client = new OpenAI({ baseURL: job.base_url, apiKey: 'key', maxRetries: job.retries ?? 0 });
  const model = new OpenAIResponsesModel(client, 'm');
  const last = new Agent({
    name: 'weather agent',
    instructions: INSTRUCTIONS,
    model,
    modelSettings: { maxTokens, reasoning },
    tools: job.tools ? [weather] : [],
    outputType: job.schema ? Weather : 'text',
  });
  const first = job.handoff ? new Agent({ name: 'Front desk', model, handoffs: [last] }) : last;
  try {
    return outcome(first, await turn(first, job.mode), ran, job.schema);
  } catch (failure) {
    if (!(failure instanceof APIError || failure instanceof AgentsError)) throw failure;
    return { ran, error: shown(failure) };
  }
}

async function turn(agent, mode) {
  if (mode === 'run') return run(agent, PROMPT);
  const result = await run(agent, PROMPT, { stream: true });
  let streamed = '';
  for await (const text of result.toTextStream()) streamed += text;
  await result.completed;
  const said = lastText(result);
  if (!streamed.endsWith(said)) throw new Error(`streamed ${streamed}, not ${said}`);
  return result;
}

const lastOutput = (result) => result.rawResponses.at(-1).output;
const lastText = (result) =>
  lastOutput(result)
    .flatMap((item) => item.content ?? [])
    .map((part) => (part.type === 'output_text' ? part.text : ''))
    .join('');

function outcome(first, result, ran, schema) {
  const { usage } = result.rawResponses.at(-1);
  const thoughts = lastOutput(result).filter((item) => item.type === 'reasoning');
  return {
    agent: result.lastAgent === first ? undefined : result.lastAgent.name,
    text: schema ? undefined : lastText(result),
    parsed: schema ? result.finalOutput : undefined,
    reasoning: thoughts.flatMap((item) => item.content).map((part) => part.text).join(''),
    ran,
    usage: [usage.inputTokens, usage.outputTokens],
  };
}

await serve(ask);

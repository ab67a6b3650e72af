// Mastra's agent with its own model router. Modes: `generate`, `stream`.

import { Agent } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { z } from 'zod';
import { INSTRUCTIONS, PROMPT, getWeather, serve, shown } from './jobs.mjs';

const Weather = z.object({ city: z.string(), celsius: z.number().int() });

async function ask(job) {
  const ran = [];
  const weather = createTool({
    id: 'get_weather',
    description: 'Tells the weather of a city.',
    inputSchema: z.object({ city: z.string() }),
    execute: async (given) => (ran.push(['get_weather', { city: given.city }]), getWeather(given)),
  });
  const agent = new Agent({
    id: 'weather-agent',
    name: 'weather agent',
    instructions: INSTRUCTIONS,
    model: { id: 'openai/m', url: job.base_url, apiKey: 'key', api: 'responses' },
    maxRetries: job.retries ?? 0,
    tools: job.tools ? { get_weather: weather } : undefined,
  });
  const { max_output_tokens: maxOutputTokens, reasoning } = job.request ?? {};
  const options = {
    maxSteps: 5,
    modelSettings: { maxOutputTokens, maxRetries: job.retries ?? 0 },
    providerOptions: { openai: { ...job.options, reasoningEffort: reasoning?.effort, reasoningSummary: reasoning?.summary } },
    structuredOutput: job.schema ? { schema: Weather } : undefined,
  };
  try {
    const result = await (job.mode === 'generate' ? agent.generate(PROMPT, options) : streamed(await agent.stream(PROMPT, options)));
    return await outcome(result, ran, job.schema);
  } catch (failure) {
    return { ran, error: error(failure) };
  }
}

async function streamed(result) {
  for await (const part of result.fullStream) if (part.type === 'error') throw part.payload.error;
  return result;
}

/** Values in the result of `generate` are promises in that of `stream`. */
async function outcome(result, ran, schema) {
  if (result.error) return { ran, error: error(result.error) };
  const usage = await result.usage;
  const last = (await result.steps).at(-1);
  return {
    text: schema ? undefined : last.text,
    parsed: schema ? await result.object : undefined,
    reasoning: last.reasoningText,
    ran,
    finish: await result.finishReason,
    usage: [usage.inputTokens, usage.outputTokens],
  };
}

/** An API error has its code in the parsed body. */
const error = (failure) => shown({ ...failure, name: failure.name, message: failure.message, code: failure.data?.error?.code });

await serve(ask);

// The Vercel AI SDK over `@ai-sdk/openai`'s responses model. Modes: `generate`, `stream`.

import { createOpenAI } from '@ai-sdk/openai';
import { Output, generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { INSTRUCTIONS, PROMPT, getWeather, serve, shown } from './jobs.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;
const Weather = z.object({ city: z.string(), celsius: z.number().int() });

async function ask(job) {
  const openai = createOpenAI({ baseURL: job.base_url, apiKey: 'key' });
  const ran = [];
  const tools = {
    get_weather: tool({
      description: 'Tells the weather of a city.',
      inputSchema: z.object({ city: z.string() }),
      execute: (given) => (ran.push(['get_weather', given]), getWeather(given)),
    }),
    run: openai.tools.customTool({ name: 'run', description: 'Runs a script.', format: { type: 'text' } }),
  };
  tools.run.execute = (script) => (ran.push(['run', script]), 'done');
  const { max_output_tokens: maxOutputTokens, reasoning } = job.request ?? {};
  const request = {
    model: openai.responses('m'),
    instructions: INSTRUCTIONS,
    prompt: PROMPT,
    maxRetries: job.retries ?? 0,
    maxOutputTokens,
    stopWhen: stepCountIs(5),
    tools: job.tools ? tools : undefined,
    output: job.schema ? Output.object({ schema: Weather }) : undefined,
    providerOptions: {
      openai: { ...job.options, reasoningEffort: reasoning?.effort, reasoningSummary: reasoning?.summary },
    },
  };
  try {
    return job.mode === 'generate' ? await outcome(await generateText(request), ran, job.schema) : await stream(request, ran, job.schema);
  } catch (failure) {
    return { ran, error: error(failure) };
  }
}

async function stream(request, ran, schema) {
  let failure;
  let streamed = '';
  const result = streamText({ ...request, onError: ({ error }) => (failure = error) });
  for await (const part of result.fullStream) if (part.type === 'text-delta') streamed += part.text;
  if (failure) return { ran, text: streamed, error: error(failure) };
  const said = await outcome(result, ran, schema);
  if (!streamed.endsWith(said.text ?? '')) throw new Error(`streamed ${streamed}, not ${said.text}`);
  return said;
}

/** Values in the result of `generateText` are promises in that of `streamText`. */
async function outcome(result, ran, schema) {
  const usage = await result.usage;
  const parsed = schema ? await result.output : undefined;
  return {
    text: parsed ? undefined : await result.text,
    reasoning: await result.reasoningText,
    ran,
    parsed,
    finish: await result.finishReason,
    usage: [usage.inputTokens, usage.outputTokens],
  };
}

/** An API error has its code in the parsed body. */
const error = (failure) => shown({ ...failure, name: failure.name, message: failure.message, code: failure.data?.error?.code });

await serve(ask);

// The Vercel AI SDK, with nothing set: it refers to what it has got, by the ids of the items. Modes: `generate`, `stream`.

import { createOpenAI } from '@ai-sdk/openai';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { INSTRUCTIONS, getWeather, serve } from './jobs.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;

async function ask(job) {
  const ran = [];
  const said = [];
  const messages = [];
  const weather = tool({
    description: 'Tells the weather of a city.',
    inputSchema: z.object({ city: z.string() }),
    execute: (given) => (ran.push(given.city), getWeather(given)),
  });
  const request = {
    model: createOpenAI({ baseURL: job.base_url, apiKey: 'key' }).responses('m'),
    instructions: INSTRUCTIONS,
    stopWhen: stepCountIs(5),
    tools: { get_weather: weather },
    messages,
  };
  for (const content of job.questions) {
    messages.push({ role: 'user', content });
    const result = job.mode === 'generate' ? await generateText(request) : streamText(request);
    said.push(await result.text);
    messages.push(...(await result.responseMessages));
  }
  return { said, ran };
}

await serve(ask);

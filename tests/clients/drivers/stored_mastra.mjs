// Mastra's agent, with nothing set: it refers to what it has got, by the ids of the items. Modes: `generate`, `stream`.

import { Agent } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { z } from 'zod';
import { INSTRUCTIONS, getWeather, serve } from './jobs.mjs';

async function ask(job) {
  const ran = [];
  const said = [];
  const messages = [];
  const weather = createTool({
    id: 'get_weather',
    description: 'Tells the weather of a city.',
    inputSchema: z.object({ city: z.string() }),
    execute: async (given) => (ran.push(given.city), getWeather(given)),
  });
  const agent = new Agent({
    id: 'agent',
    name: 'agent',
    instructions: INSTRUCTIONS,
    model: { id: 'openai/m', url: job.base_url, apiKey: 'key', api: 'responses' },
    tools: { get_weather: weather },
  });
  for (const content of job.questions) {
    messages.push({ role: 'user', content });
    const result = await agent[job.mode](messages, { maxSteps: 5 });
    if (job.mode === 'stream') await result.consumeStream();
    said.push((await result.steps).at(-1).text);
    messages.push(...(await result.response).messages);
  }
  return { said, ran };
}

await serve(ask);

// The list of models, as openai-node gets it.

import OpenAI from 'openai';
import { serve } from './jobs.mjs';

async function ask(job) {
  const models = [];
  for await (const model of new OpenAI({ baseURL: job.base_url, apiKey: 'key' }).models.list()) models.push(model.id);
  return { models };
}

await serve(ask);

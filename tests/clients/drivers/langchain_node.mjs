// LangChain's `ChatOpenAI` for Node over the Responses API. Modes: `invoke`, `stream`.

import { HumanMessage, SystemMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { concat } from '@langchain/core/utils/stream';
import { ChatOpenAI } from '@langchain/openai';
import { z } from 'zod';
import { INSTRUCTIONS, PROMPT, getWeather, serve, shown } from './jobs.mjs';

const Weather = z.object({ city: z.string(), celsius: z.number().int() });

async function ask(job) {
  const ran = [];
  const weather = tool((given) => (ran.push(['get_weather', given]), getWeather(given)), {
    name: 'get_weather',
    description: 'Tells the weather of a city.',
    schema: z.object({ city: z.string() }),
  });
  const { max_output_tokens: maxTokens, reasoning } = job.request ?? {};
  let model = new ChatOpenAI({
    model: 'm',
    apiKey: 'key',
    configuration: { baseURL: job.base_url },
    maxRetries: job.retries ?? 0,
    useResponsesApi: true,
    maxTokens,
    reasoning,
  });
  const messages = [new SystemMessage(INSTRUCTIONS), new HumanMessage(PROMPT)];
  try {
    if (job.schema) {
      model = model.withStructuredOutput(Weather, { method: 'jsonSchema', strict: true, name: 'Weather' });
      return { parsed: await turn(model, messages, job.mode), finish: 'completed' };
    }
    if (job.tools) model = model.bindTools([weather]);
    for (;;) {
      const message = await turn(model, messages, job.mode);
      if (!message.tool_calls?.length) return outcome(message, ran);
      messages.push(message);
      for (const call of message.tool_calls) messages.push(await weather.invoke(call));
    }
  } catch (failure) {
    const error = shown(failure);
    // Advice follows.
    return { ran, error: { ...error, message: error.message.split('\n')[0] } };
  }
}

async function turn(model, messages, mode) {
  if (mode === 'invoke') return model.invoke(messages);
  let whole;
  for await (const chunk of await model.stream(messages)) whole = whole?.concat ? concat(whole, chunk) : chunk;
  return whole;
}

function outcome(message, ran) {
  const said = message.response_metadata;
  const usage = message.usage_metadata;
  return {
    text: message.text,
    refusal: message.additional_kwargs.refusal,
    reasoning: message.additional_kwargs.reasoning?.summary?.map((part) => part.text).join(''),
    ran,
    finish: said.incomplete_details?.reason ?? said.status,
    usage: usage && [usage.input_tokens, usage.output_tokens],
  };
}

await serve(ask);

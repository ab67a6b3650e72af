// Shared by the Node drivers: a job is a line of JSON on stdin, its result a line of JSON on stdout. See jobs.py.

import { createInterface } from 'node:readline';

export const PROMPT = 'How is the weather?';
export const INSTRUCTIONS = 'Be brief.';
export const getWeather = ({ city }) => `${city}: sunny`;

/** An error, as the client raised it. */
export function shown(failure) {
  const { status, statusCode, code, message } = failure;
  return said({ class: failure.name === 'Error' ? failure.constructor.name : failure.name, status: status ?? statusCode, code, message });
}

const said = (outcome) => Object.fromEntries(Object.entries(outcome).filter(([, value]) => !isNothing(value)));
const isNothing = (value) => value == null || value === '' || (Array.isArray(value) && value.length === 0);

/** Does one job after the other until stdin ends. */
export async function serve(ask) {
  for await (const line of createInterface({ input: process.stdin })) {
    const outcome = await ask(JSON.parse(line)).catch((failure) => ({ crash: String(failure?.stack ?? failure) }));
    console.log(JSON.stringify(said(outcome)));
  }
}

#!/usr/bin/env bash
# A tool loop's history that is made of `response.messages` loses its calls with AI SDK 7, and had them with AI SDK 6.
#
# Software: ai 6.0.325 and ai 7.0.173 (npm), with the model that the package has for tests; zod 4.1.13.
# Input: one program for both. `generateText` with one tool and two steps: the model calls the tool, and then says a sentence.
# Expected by most readers: `response.messages` is what the conversation gets, so both versions have the call, its output and the
# sentence. The property still exists and is a list of messages.
# Seen: 6 has all three messages. 7 has those of the last step only, so only the sentence: `response` belongs to the last step now, and
# the messages of all steps are in `responseMessages`, which 6 does not have. A program that appends `response.messages` to its
# history sends, from its second turn on, conversations in which the model never called anything. They are valid, so no server
# and no proxy can notice.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

echo '{"private": true, "type": "module"}' >package.json
timeout 300 npm install --silent --no-audit --no-fund --ignore-scripts ai6@npm:ai@6.0.325 ai7@npm:ai@7.0.173 zod@4.1.13

cat >loop.mjs <<'JAVASCRIPT'
import { z } from "zod";

const [version] = process.argv.slice(2);
const { generateText, stepCountIs, isStepCount, tool } = await import(version);
const { MockLanguageModelV3: Model } = await import(`${version}/test`);

const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };
const steps = [
  { content: [{ type: "tool-call", toolCallId: "call_1", toolName: "weather", input: '{"city": "Paris"}' }], finishReason: { unified: "tool-calls" } },
  { content: [{ type: "text", text: "Sunny." }], finishReason: { unified: "stop" } },
];
const result = await generateText({
  model: new Model({ doGenerate: async () => ({ ...steps.shift(), usage, warnings: [] }) }),
  prompt: "How is the weather?",
  stopWhen: (isStepCount ?? stepCountIs)(5),
  tools: { weather: tool({ inputSchema: z.object({ city: z.string() }), execute: async () => "sunny" }) },
});
const kinds = (messages) => messages?.flatMap((message) => message.content.map((part) => part.type)).join(", ") ?? "absent";
console.log(`${version}: ${result.steps.length} steps; response.messages: ${kinds(result.response.messages)}; responseMessages: ${kinds(result.responseMessages)}`);
JAVASCRIPT

run() { timeout 60 node loop.mjs "$1"; }
six=$(run ai6)
seven=$(run ai7)
printf '%s\n' "$six" "$seven"
[[ $six == "ai6: 2 steps; response.messages: tool-call, tool-result, text; responseMessages: absent" ]]
[[ $seven == "ai7: 2 steps; response.messages: text; responseMessages: tool-call, tool-result, text" ]]

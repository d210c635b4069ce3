// A stepwright server through the Vercel AI SDK and stepwright's own provider: method, options and budget are settings,
// and what the search did comes back as provider metadata.
//   STEPWRIGHT_URL=http://127.0.0.1:8080/v1 node examples/clients/ai-sdk.mjs
import { generateText, streamText } from "ai";
import { createStepwright } from "stepwright/ai";

const stepwright = createStepwright({ baseURL: process.env.STEPWRIGHT_URL ?? "http://127.0.0.1:8080/v1" });
const prompt = process.argv[2] ?? "A farmer has 17 rows of 23 trees. How many trees?";

const whole = await generateText({ model: stepwright("rsd/default"), prompt, seed: 1 });
const { method, finish, ledger } = whole.providerMetadata.stepwright;
console.log(`whole: ${whole.text}`);
console.log(`${method} ended by ${finish}; the target wrote ${ledger.target.decodeTokens} tokens`);

const stream = streamText({
  model: stepwright("default", { method: "rsd", options: { threshold: 0.5 } }),
  prompt,
  seed: 1,
  providerOptions: { stepwright: { budget: { "target-tokens": 500 } } },
});
let text = "";
for await (const piece of stream.textStream) text += piece;
console.log(`streamed: ${text}`);
console.log(`${(await stream.usage).totalTokens} tokens in all, ended by ${await stream.finishReason}`);

try {
  await generateText({ model: stepwright("no-such-model"), prompt, maxRetries: 0 });
} catch (error) {
  console.log(`refused: ${error.statusCode}, ${error.message}`);
}

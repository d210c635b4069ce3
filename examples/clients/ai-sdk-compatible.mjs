// A stepwright server through the Vercel AI SDK and its own provider for OpenAI-compatible servers.
//   STEPWRIGHT_URL=http://127.0.0.1:8080/v1 node examples/clients/ai-sdk-compatible.mjs
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

const provider = createOpenAICompatible({
  name: "stepwright",
  baseURL: process.env.STEPWRIGHT_URL ?? "http://127.0.0.1:8080/v1",
  apiKey: process.env.STEPWRIGHT_API_KEY,
  includeUsage: true,
});
const prompt = process.argv[2] ?? "A farmer has 17 rows of 23 trees. How many trees?";
const model = provider("rsd/default");

const whole = await generateText({ model, prompt, seed: 1 });
const { acceptedPredictionTokens, rejectedPredictionTokens } = whole.providerMetadata.stepwright;
console.log(`whole: ${whole.text}`);
console.log(
  `${whole.usage.outputTokens} tokens, drafts kept ${acceptedPredictionTokens}, thrown away ${rejectedPredictionTokens}`,
);

const stream = streamText({ model, prompt, seed: 1 });
let text = "";
for await (const piece of stream.textStream) text += piece;
console.log(`streamed: ${text}`);
console.log(`${(await stream.usage).totalTokens} tokens in all, ended by ${await stream.finishReason}`);

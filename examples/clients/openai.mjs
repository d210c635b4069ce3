// A stepwright server through OpenAI's Node SDK, unchanged.
//   stepwright serve --draft demo:draft --target demo:target --reward demo:reward
//   STEPWRIGHT_URL=http://127.0.0.1:8080/v1 node examples/clients/openai.mjs
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: process.env.STEPWRIGHT_URL ?? "http://127.0.0.1:8080/v1",
  apiKey: process.env.STEPWRIGHT_API_KEY ?? "none needed on this machine",
});
const question = process.argv[2] ?? "A farmer has 17 rows of 23 trees. How many trees?";
const messages = [{ role: "user", content: question }];

const models = await client.models.list();
console.log(`models: ${models.data.map(({ id }) => id).join(", ")}`);

const whole = await client.chat.completions.create({ model: "rsd/default", messages, seed: 1 });
const { usage } = whole;
console.log(`whole: ${whole.choices[0].message.content}`);
console.log(
  `${usage.completion_tokens} tokens, drafts kept ${usage.completion_tokens_details.accepted_prediction_tokens}, ` +
    `thrown away ${usage.completion_tokens_details.rejected_prediction_tokens}`,
);

// Steps leave as they are accepted; the method's options go in an extra key, which the SDK passes on.
const stream = await client.chat.completions.create({
  model: "default",
  messages,
  seed: 1,
  stream: true,
  stream_options: { include_usage: true },
  stepwright: { method: "rsd", options: { threshold: 0.5 } },
});
let text = "";
let total = 0;
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta.content ?? "";
  total = chunk.usage?.total_tokens ?? total;
}
console.log(`streamed: ${text}`);
console.log(`${total} tokens in all`);

try {
  await client.chat.completions.create({ model: "no-such-model", messages });
} catch (error) {
  console.log(`refused: ${error.status} ${error.code}`);
}

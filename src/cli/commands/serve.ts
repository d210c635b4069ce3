import { methods } from "../../methods/index.js";
import type { RunningServer, ServedModels } from "../../server/index.js";
import type { CommandContext } from "../command.js";
import { defineCommand } from "../command.js";
import { serveSession } from "../serve-session.js";
import { serveSchema } from "../serve-settings.js";
import { paragraph } from "../terminal-text.js";

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description:
    "Answers over HTTP as OpenAI's API does: chat and plain completions, streamed as steps are decided, with every method a preset that clients can name as a model. Also rewards, tokens, runs with their events, and metrics. docs/server.md tells the routes and the limits.",
  examples: [
    "stepwright serve --draft small.gguf --target large.gguf",
    "stepwright serve --config pairs.yaml --port 8000",
    "STEPWRIGHT_API_KEY=secret stepwright serve --host 0.0.0.0 --config pairs.yaml",
  ],
  schema: serveSchema,
  layered: true,
  async moreFlags(peek) {
    const method = await methods.get(String(peek("method")));
    return { title: `Options of method ${method.name}`, schema: method.schema };
  },
  run(context, settings, _, options, given) {
    const facts = (server: RunningServer, models: ServedModels) => ({
      url: server.url,
      port: server.port,
      presets: models.presets.map(({ id }) => id),
    });
    return serveSession(context, {
      settings,
      options,
      isMethodGiven: given.has("method"),
      onListening(server) {
        context.say(`Listening on ${server.url}; opening models …`);
      },
      onReady(server, models) {
        if (settings.json) context.host.out.write(`${JSON.stringify(facts(server, models))}\n`);
        else sayHowToAsk(context, server, models);
      },
    });
  },
});

function sayHowToAsk(
  { host, say, talkStyle }: CommandContext,
  { url, limits }: RunningServer,
  models: ServedModels,
): void {
  say("Ready. Clients may ask for these models:");
  for (const name of models.pairNames) {
    const ids = models.presets.filter(({ pair }) => pair === name).map(({ id }) => id);
    say(paragraph(`  ${name}, ${ids.join(", ")}`, host.talk));
  }
  const [first] = models.pairNames;
  if (first === undefined) return;
  const body = JSON.stringify({ model: first, messages: [{ role: "user", content: "What is 17 * 23?" }] });
  say(`Try it:\n  curl ${url}/v1/chat/completions -H 'content-type: application/json' -d '${body}'`);
  say(
    talkStyle.dim(
      `At most ${limits.concurrency} answers at once, ${limits.queue} waiting: GET ${url}/v1/limits`,
    ),
  );
}

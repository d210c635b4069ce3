import { z } from "zod";
import { StepwrightError } from "../../core/errors.js";
import { methods } from "../../methods/index.js";
import type { RunningServer, ServedModels } from "../../server/index.js";
import { createStudio, studioToken } from "../../server/studio/index.js";
import { type CommandContext, defineCommand } from "../command.js";
import { serveSession } from "../serve-session.js";
import { serveSchema } from "../serve-settings.js";
import { runsFolder, stateFolder } from "../state-folder.js";
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
  schema: serveSchema.extend({
    studio: z
      .boolean()
      .default(false)
      .describe("Serve the studio, too: pages that show runs. The printed link carries its key.")
      .meta({ group: "Access" }),
  }),
  layered: true,
  async moreFlags(peek) {
    const method = await methods.get(String(peek("method")));
    return { title: `Options of method ${method.name}`, schema: method.schema };
  },
  async run(context, { studio: isStudio, ...settings }, _, options, given) {
    const { draft, target, pairs } = settings;
    if (draft === undefined && target === undefined && Object.keys(pairs).length === 0) {
      throw new StepwrightError("missing-role", "no model is named", {
        subject: "--target",
        remedy: "name one: --draft, --target, or pairs in --config; stepwright studio shows runs without any",
      });
    }
    const token = isStudio ? await studioToken(stateFolder(context.host)) : "";
    const studio = isStudio ? await createStudio({ token, traces: [runsFolder(context.host)] }) : undefined;
    const link = ({ url }: RunningServer) => `${url}/studio/?token=${token}`;
    const facts = (server: RunningServer, models: ServedModels) => ({
      url: server.url,
      port: server.port,
      ...(studio && { studio: link(server) }),
      presets: models.presets.map(({ id }) => id),
    });
    return serveSession(context, {
      settings,
      options,
      isMethodGiven: given.has("method"),
      studio,
      onListening(server) {
        context.say(`Listening on ${server.url}; opening models …`);
        if (studio) context.say(`Studio: ${link(server)}`);
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

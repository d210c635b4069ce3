import { resolve } from "node:path";
import { z } from "zod";
import { methods } from "../../methods/index.js";
import { checkPlace, createStudio, studioToken } from "../../server/studio/index.js";
import { type CommandContext, defineCommand } from "../command.js";
import { serveSession } from "../serve-session.js";
import { serveSchema } from "../serve-settings.js";
import { runsFolder, stateFolder } from "../state-folder.js";

/** Not the server's, so that both can run. */
const usualPort = 8090;

const mostOperands = 50;

export default defineCommand({
  operands: "[TRACE | DIR ...]",
  operandLimit: mostOperands,
  description:
    "Shows runs in a browser: steps as they are decided, who wrote them, their rewards, what was thrown away and what it cost; trees of search methods; a recorded run at another threshold; two runs side by side; bench reports. With --draft and --target it answers questions, too; without, it shows what is recorded: the traces of this machine, or the files and folders named. It opens no browser: the printed link carries the key.",
  examples: [
    "stepwright studio",
    "stepwright studio run.jsonl",
    "stepwright studio --bench results/",
    "stepwright studio --draft lab:draft --target lab:target --reward lab:reward",
  ],
  schema: serveSchema.extend({
    port: serveSchema.shape.port
      .unwrap()
      .default(usualPort)
      .describe("0 takes any free one.")
      .meta({ group: "Access" }),
    bench: z
      .array(z.string().min(1))
      .default([])
      .describe("Folders that stepwright bench wrote, to show their reports.")
      .meta({ placeholder: "DIR,..." }),
  }),
  layered: true,
  async moreFlags(peek) {
    const method = await methods.get(String(peek("method")));
    return { title: `Options of method ${method.name}`, schema: method.schema };
  },
  async run(context, { bench, ...settings }, operands, options, given) {
    const { host, say } = context;
    const token = await studioToken(stateFolder(host));
    const studio = await createStudio({ token, ...(await placesOf(context, operands, bench)) });
    const answers =
      settings.draft !== undefined || settings.target !== undefined || Object.keys(settings.pairs).length > 0;
    return serveSession(context, {
      // Without models nothing is run, so nothing needs to be kept, or locked.
      settings: answers ? settings : { ...settings, noStore: true },
      options,
      isMethodGiven: given.has("method"),
      studio,
      onListening({ url }) {
        say(`Studio: ${url}/studio/?token=${token}`);
        if (answers) say(context.talkStyle.dim("opening models …"));
      },
      onReady({ url, port }, models) {
        const presets = models.presets.map(({ id }) => id);
        if (settings.json) {
          const link = `${url}/studio/?token=${token}`;
          host.out.write(`${JSON.stringify({ url, port, studio: link, presets })}\n`);
        } else if (answers) say(`Ready: ${presets.length} presets to ask.`);
      },
    });
  },
});

/** What was named, or else the traces that solve and serve have left. Throws `storage-failed` for what is not there. */
async function placesOf({ host }: CommandContext, operands: readonly string[], bench: readonly string[]) {
  const named = [...operands, ...bench].map((path) => resolve(host.workingFolder, path));
  const traces: string[] = [];
  const benches: string[] = [];
  for (const path of named) ((await checkPlace(path)) === "bench" ? benches : traces).push(path);
  return { traces: operands.length > 0 ? traces : [...traces, runsFolder(host)], benches };
}

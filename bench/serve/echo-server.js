// A server over scripted models that say back what they were asked, in a process of its own:
//   node bench/serve/echo-server.js '{"delay":0.005,"limits":{...},"folder":null}'
// Prints one line with its address. SIGTERM ends it as `stepwright serve` ends.
import { serveModels, startServer } from "../../dist/server/index.js";
import { echoWorld } from "../../dist/testing/echo-world.js";

const { delay = 0, words = [], limits = {}, folder = null, keys = [] } = JSON.parse(process.argv[2] ?? "{}");
const context = 1_000_000;
// An engine is a process of its own: even one that takes no time answers in another turn of the event loop.
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const world = echoWorld({
  context,
  words,
  ...(delay > 0 ? { delay: () => delay } : { delay: () => 1e-9, sleep: nextTurn }),
});
const models = await serveModels({
  pairs: [
    { name: "echo", roles: ["draft", "target", "reward"], references: {}, open: async () => world.roles },
  ],
  defaults: new Map([["echo", "rsd/echo"]]),
});
const server = await startServer({
  models,
  folder,
  port: 0,
  limits,
  keys,
  onNotice: (notice) => console.error(notice),
});
process.on("SIGTERM", async () => {
  await server.stop();
  process.exit(0);
});
console.log(JSON.stringify({ url: server.url, pid: process.pid }));

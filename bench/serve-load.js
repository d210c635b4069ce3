// Load tests of the server, with their limits. Each starts a server of its own over scripted models.
//   npm run build && node bench/serve-load.js [L1 L2 L3 L5 L6 L7 L9] [--seconds 10] [--cycles 1000] [--clients N]
import { parseArgs } from "node:util";
import { loads } from "./serve/loads.js";
import { verdict } from "./serve/statistics.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "10" },
    cycles: { type: "string", default: "1000" },
    clients: { type: "string" },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(loads);
const unknown = names.find((name) => !(name in loads));
if (unknown) {
  console.error(`there is no ${unknown}; there are: ${Object.keys(loads).join(", ")}`);
  process.exit(2);
}
const options = {
  seconds: Number(values.seconds),
  cycles: Number(values.cycles),
  ...(values.clients && { clients: Number(values.clients) }),
};
let hasFailed = false;
for (const name of names) hasFailed = !verdict(name, await loads[name](options)) || hasFailed;
process.exit(hasFailed ? 1 : 0);

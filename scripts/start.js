// `npm start`: the demo; `npm start -- solve ...`: any command.
import { main } from "../dist/cli/main.js";

const words = process.argv.slice(2);
process.exitCode = await main(words.length > 0 ? words : ["demo"]);

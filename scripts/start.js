// `npm start`: a question of the lab, or the scripted demo where no native code runs; `npm start -- solve ...`: any command.
import { main } from "../dist/cli/main.js";
import { findBinaries } from "../dist/native/binaries.js";

const words = process.argv.slice(2);
process.exitCode = await main(words.length > 0 ? words : [firstCommand()]);

function firstCommand() {
  try {
    findBinaries();
    return "lab";
  } catch (error) {
    console.error(`${error.message}; ${error.remedy}. Until then, the scripted demo:\n`);
    return "demo";
  }
}

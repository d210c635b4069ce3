import { readFile } from "node:fs/promises";
import { z } from "zod";
import { defineCommand } from "../command.js";
import { jsonField } from "../fields.js";

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description: "Prints the version of stepwright, and with --json those of Node and the platform too.",
  examples: ["stepwright version"],
  schema: z.object({ json: jsonField }),
  async run({ print, printJson }, { json }) {
    const version = await packageVersion();
    if (json)
      printJson({
        stepwright: version,
        node: process.versions.node,
        platform: `${process.platform}-${process.arch}`,
      });
    else print(version);
    return 0;
  },
});

export async function packageVersion(): Promise<string> {
  // Three folders up from both src/cli/commands and dist/cli/commands.
  const text = await readFile(new URL("../../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

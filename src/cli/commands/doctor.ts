import { z } from "zod";
import { defineCommand } from "../command.js";
import { examine, type Finding } from "../doctor/checks.js";
import { jsonField } from "../fields.js";
import { paragraph } from "../terminal-text.js";
import { packageVersion } from "./version.js";

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description:
    "Checks that models can run here: Node, processor, memory, the llama.cpp libraries and what they make of this machine, storage, model folders, and one token of a tiny model made for the test. Exits with 1 if something is broken.",
  examples: ["stepwright doctor", "stepwright doctor --json"],
  schema: z.object({ json: jsonField }),
  async run({ host, signal, style, print, printJson }, { json }) {
    const version = await packageVersion();
    const findings: Finding[] = [];
    if (!json) print(`stepwright ${version}`);
    for await (const finding of examine(host, signal)) {
      findings.push(finding);
      if (json) continue;
      const mark = finding.ok ? style.green("ok  ") : style.red("FAIL");
      print(paragraph(`${mark} ${finding.check.padEnd(10)} ${finding.detail}`, host.out));
      if (finding.remedy) print(`     what to do: ${finding.remedy}`);
    }
    const ok = findings.every((finding) => finding.ok);
    if (json) printJson({ stepwright: version, ok, checks: findings });
    return ok ? 0 : 1;
  },
});

import { expect, it } from "vitest";
import { commandTable } from "../../src/cli/command-table.js";
import { run } from "./captured-host.js";

const introduction = `# The command line

Generated from the commands themselves: \`npx vitest run test/cli/reference.test.ts -u\` writes it anew.

- Data goes to standard output; progress, notes and errors go to standard error.
- Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted by Ctrl-C (143 by a request to terminate).
- \`--json\` prints one JSON document. A failure is \`{"error": {"code", "message", "remedy", "subject"}}\`, and the
  exit code says so too.
- The first Ctrl-C ends a run well: its trace is kept, and the command that goes on with it is printed. The second
  ends the process at once.
- \`NO_COLOR\` switches colours off, \`FORCE_COLOR\` on. Where no terminal is, a step is one line.
`;

it("docs/cli.md is what the commands say of themselves", async () => {
  const sections = await Promise.all(
    Object.keys(commandTable).map(async (name) => {
      const { out } = await run([...name.split(" "), "--help"]);
      return `## ${name}\n\n\`\`\`text\n${out.trimEnd()}\n\`\`\`\n`;
    }),
  );
  await expect([introduction, ...sections].join("\n")).toMatchFileSnapshot("../../docs/cli.md");
});

// Asks the C compiler where it puts the fields of the structs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** Size and field offsets of each struct, from a small program built against the headers in `source`. Throws without a C compiler. */
export function measureLayouts(source, headers, names, fieldsByStruct) {
  const folder = mkdtempSync(join(tmpdir(), "stepwright-layouts-"));
  try {
    const prints = names.flatMap((name) => [
      `printf("%s %s %zu\\n", "${name}", "=", sizeof(struct ${name}));`,
      ...fieldsByStruct
        .get(name)
        .map(
          ([field]) => `printf("%s %s %zu\\n", "${name}", "${field}", offsetof(struct ${name}, ${field}));`,
        ),
    ]);
    const program = [
      "#include <stdio.h>",
      "#include <stddef.h>",
      ...headers.map((header) => `#include "${basename(header)}"`),
      `int main(void) { ${prints.join("\n")} return 0; }`,
    ];
    writeFileSync(join(folder, "layouts.c"), program.join("\n"));
    const include = [`-I${join(source, "include")}`, `-I${join(source, "ggml/include")}`];
    execFileSync("cc", [...include, "-o", join(folder, "layouts"), join(folder, "layouts.c")]);
    const layouts = {};
    for (const line of execFileSync(join(folder, "layouts"), { encoding: "utf8" }).trim().split("\n")) {
      const [name, field, value] = line.split(" ");
      layouts[name] ??= { size: 0, offsets: {} };
      if (field === "=") layouts[name].size = Number(value);
      else layouts[name].offsets[field] = Number(value);
    }
    return layouts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import koffi from "koffi";
import { describe, expect, it } from "vitest";
import { layouts, llamaVersion, structs } from "./bindings.generated.js";
import { declareStructs } from "./library.js";

declareStructs();

describe("struct layouts", () => {
  it("cover every struct we bind", () => {
    expect(Object.keys(layouts)).toEqual(Object.keys(structs));
  });

  it.each(Object.keys(layouts))("%s is laid out by koffi as by the C compiler", (name) => {
    const { size, offsets } = layouts[name]!;
    expect(koffi.sizeof(name)).toBe(size);
    expect(Object.keys(offsets)).toEqual(structs[name]!.map(([field]) => field));
    for (const [field, offset] of Object.entries(offsets)) {
      expect([field, koffi.offsetof(name, field)]).toEqual([field, offset]);
    }
  });

  it("an inserted field moves what follows: the comparison would see it", () => {
    const fields = Object.fromEntries(structs.llama_batch!.map(([field, type]) => [field, type]));
    const moved = koffi.struct({ n_extra: "int64_t", ...fields });
    expect(koffi.offsetof(moved, "token")).not.toBe(layouts.llama_batch!.offsets.token);
  });
});

const source = process.env.STEPWRIGHT_LLAMA_SOURCE;
const compiler = spawnSync("cc", ["--version"]).status === 0;

describe(`generated from llama.cpp ${llamaVersion}`, () => {
  const reason = !source
    ? "STEPWRIGHT_LLAMA_SOURCE does not name a checkout of llama.cpp"
    : compiler
      ? ""
      : "no C compiler";
  it.skipIf(reason !== "")(
    `is what the headers and the compiler give${reason && ` (skipped: ${reason})`}`,
    () => {
      const script = fileURLToPath(new URL("../../scripts/generate-native.js", import.meta.url));
      const run = spawnSync(process.execPath, [script, "--check", "--source", source!], { encoding: "utf8" });
      expect(run.stderr).toBe("");
      expect(run.status).toBe(0);
    },
  );
});

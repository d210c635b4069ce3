import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesSource } from "./gguf/source.js";
import { readHead } from "./head-file.js";
import { readSafetensorsFacts, readSafetensorsHeader } from "./safetensors.js";
import { encodeSafetensors } from "./safetensors-writer.js";

const name = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !text.startsWith("__"));
const tensor = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 9 })
  .map((values) => ({ shape: [values.length], values: Float32Array.from(values) }));

test("what is written is read back: tensors, shapes and facts", async () => {
  const sets = fc.dictionary(name, tensor, { maxKeys: 4, noNullPrototype: true });
  const facts = fc.dictionary(name, fc.string({ maxLength: 9 }), { maxKeys: 3, noNullPrototype: true });
  await fc.assert(
    fc.asyncProperty(sets, facts, async (tensors, said) => {
      const source = bytesSource(encodeSafetensors(new Map(Object.entries(tensors)), said));
      const read = await readHead(source, Object.keys(tensors));
      expect(Object.fromEntries(read)).toEqual(tensors);
      expect(Object.fromEntries(await readSafetensorsFacts(source))).toEqual(said);
      for (const { offset } of (await readSafetensorsHeader(source)).values()) expect(offset % 4).toBe(0);
    }),
    { numRuns: 60 },
  );
});

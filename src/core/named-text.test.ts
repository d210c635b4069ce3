import { describe, expect, it } from "vitest";
import { z } from "zod";
import { namedEntry, parseNamedText } from "./named-text.js";
import { createRegistry } from "./registry.js";

const entry = {
  name: "fixed",
  schema: z.object({ length: z.int().default(4), word: z.string().default("a") }),
};
const registry = createRegistry<typeof entry>("thing", { fixed: async () => ({ default: entry }) });

describe("parseNamedText", () => {
  it("takes name and options apart", () => {
    expect(parseNamedText("fixed")).toEqual({ name: "fixed", options: {} });
    expect(parseNamedText("a-b?x=1&y=a%26b=c")).toEqual({ name: "a-b", options: { x: "1", y: "a&b=c" } });
  });

  it.each(["", "A", "a b", "a?x", "a?=1", "a?x=1&x=2", "a?x=%zz"])("refuses %j", (text) => {
    expect(() => parseNamedText(text)).toThrow(/names nothing/);
  });
});

describe("namedEntry", () => {
  it("gives typed options with defaults", async () => {
    const found = await namedEntry(registry, "thing", "fixed?length=7");
    expect(found).toEqual({ entry, options: { length: 7, word: "a" } });
  });

  it("refuses unknown names and options, and values of other types", async () => {
    await expect(namedEntry(registry, "thing", "fixd")).rejects.toThrow(/unknown thing/);
    await expect(namedEntry(registry, "thing", "fixed?lenght=7")).rejects.toThrow(
      /thing fixed has no option/,
    );
    await expect(namedEntry(registry, "thing", "fixed?length=x")).rejects.toThrow(/length/);
  });
});

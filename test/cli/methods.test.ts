import { describe, expect, it } from "vitest";
import { z } from "zod";
import { flagsOf } from "../../src/cli/flags.js";
import { solveSchema } from "../../src/cli/solve-settings.js";
import { methods } from "../../src/methods/index.js";
import { run } from "./captured-host.js";

describe("methods", () => {
  it("are described as data, their options as JSON Schema", async () => {
    const { code, out } = await run(["methods", "--json"]);
    expect(code).toBe(0);
    const described = z
      .array(
        z.strictObject({
          name: z.string(),
          essence: z.string().min(10),
          kind: z.enum(["plain", "step", "token", "search", "training"]),
          needs: z.record(z.string(), z.union([z.array(z.string()), z.literal(true)])),
          source: z.string().min(1),
          options: z.looseObject({
            type: z.literal("object"),
            properties: z.record(z.string(), z.unknown()),
          }),
        }),
      )
      .parse(JSON.parse(out));
    expect(described.map(({ name }) => name)).toEqual(methods.names);
    const rsd = described.find(({ name }) => name === "rsd");
    expect(rsd?.needs).toMatchObject({ reward: true });
    expect(rsd?.options.properties).toMatchObject({
      threshold: { anyOf: [{ type: "number", minimum: 0 }, { const: "auto" }], default: 0.7 },
      weight: { enum: ["step", "clip", "sigmoid", "logistic", "constant"], default: "step" },
    });
  });

  it("are listed for people, and one in detail", async () => {
    const { out } = await run(["methods"]);
    for (const name of methods.names) expect(out).toMatch(new RegExp(`^${name} `, "m"));
    const { out: detail } = await run(["methods", "rsd"]);
    expect(detail).toMatch(/--threshold .*number from 0 to .*default 0.7/);
    expect(JSON.parse((await run(["methods", "rsd", "--json"])).out).name).toBe("rsd");
  });

  it("have options whose flags are free, described and have defaults", async () => {
    const taken = flagsOf(solveSchema).map(({ name }) => name);
    for (const method of await methods.all()) {
      for (const flag of flagsOf(method.schema)) {
        expect(taken, `--${flag.name} of ${method.name}`).not.toContain(flag.name);
        expect(flag.description, `--${flag.name} of ${method.name}`).not.toBe("");
        expect(flag.initial, `--${flag.name} of ${method.name}`).not.toBeUndefined();
      }
    }
  });
});

import { expect, test } from "vitest";
import { methods } from "../methods/index.js";
import { createRegistry, nearest } from "./registry.js";

test("things are loaded when asked for, once by name", async () => {
  let loads = 0;
  const load = async () => ({ default: `thing ${++loads}` });
  const registry = createRegistry("thing", { one: load, two: load });
  expect(registry.names).toEqual(["one", "two"]);
  expect(loads).toBe(0);
  expect(await registry.get("one")).toBe("thing 1");
  expect(await registry.all()).toHaveLength(2);
});

test("an unknown name is answered with the nearest known one, or with all", async () => {
  await expect(methods.get("rds")).rejects.toMatchObject({
    code: "unknown-name",
    remedy: 'did you mean "rsd"?',
  });
  await expect(methods.get("quicksort")).rejects.toMatchObject({
    remedy: expect.stringContaining("draft, target, rsd"),
  });
  for (const inherited of ["constructor", "__proto__", "toString"]) {
    expect(methods.has(inherited)).toBe(false);
    await expect(methods.get(inherited)).rejects.toMatchObject({ code: "unknown-name" });
  }
});

test("nearness counts slips of the fingers", () => {
  expect(nearest("tresholld", ["threshold", "weight"])).toBe("threshold");
  expect(nearest("Draft", ["draft", "target"])).toBe("draft");
  expect(nearest("xyz", ["draft", "target"])).toBeUndefined();
});

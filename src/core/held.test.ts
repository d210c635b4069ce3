import { expect, test } from "vitest";
import { Held } from "./held.js";

function thing() {
  const counted = { drops: 0, drop: () => void counted.drops++ };
  return counted;
}

test("a value is dropped once, at once", () => {
  const value = thing();
  const held = new Held(value);
  expect(held.peek()).toBe(value);
  held.drop();
  held.drop();
  expect(value.drops).toBe(1);
  expect(held.peek()).toBeUndefined();
});

test("a value in use is dropped when its last user is done", async () => {
  const value = thing();
  const held = new Held(value);
  let done = () => {};
  const using = held.use(() => new Promise<void>((resolve) => (done = resolve)));
  const alsoUsing = held.use(() => "quick");
  held.drop();
  expect(await alsoUsing).toBe("quick");
  expect(value.drops).toBe(0);
  done();
  await using;
  expect(value.drops).toBe(1);
});

test("a value that comes after it was given up is dropped when it comes", async () => {
  const value = thing();
  let give = (_: typeof value) => {};
  const held = new Held(new Promise<typeof value>((resolve) => (give = resolve)));
  held.drop();
  give(value);
  await new Promise(setImmediate);
  expect(value.drops).toBe(1);
});

test("a value that never comes fails its users and nothing else", async () => {
  const held = new Held(Promise.reject<ReturnType<typeof thing>>(new Error("none")));
  await expect(held.use(() => 1)).rejects.toThrow("none");
  held.drop();
});

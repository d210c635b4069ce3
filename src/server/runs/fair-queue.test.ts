import { expect, test } from "vitest";
import { FairQueue } from "./fair-queue.js";

const everything = Number.POSITIVE_INFINITY;

function drained(queue: FairQueue<string>): string[] {
  const order: string[] = [];
  for (let item = queue.take(everything); item !== undefined; item = queue.take(everything)) order.push(item);
  return order;
}

test("one owner's items leave in their order", () => {
  const queue = new FairQueue<string>(10);
  for (const name of ["a", "b", "c"]) queue.push("one", 25, name);
  expect(drained(queue)).toEqual(["a", "b", "c"]);
  expect(queue.size).toBe(0);
});

test("an owner with many items does not hold up one with a single item", () => {
  const queue = new FairQueue<string>(10);
  for (let index = 0; index < 64; index++) queue.push("many", 10, `many ${index}`);
  queue.push("single", 10, "single");
  expect(drained(queue).indexOf("single")).toBeLessThanOrEqual(1);
});

test("owners get shares by cost, not by number", () => {
  const queue = new FairQueue<string>(10);
  for (let index = 0; index < 100; index++) queue.push("dear", 100, "dear");
  for (let index = 0; index < 1000; index++) queue.push("cheap", 10, "cheap");
  const first = drained(queue).slice(0, 220);
  const dear = first.filter((owner) => owner === "dear").length;
  expect(dear * 100).toBeGreaterThan(0.9 * (first.length - dear) * 10);
  expect(dear * 100).toBeLessThan(1.1 * (first.length - dear) * 10);
});

test("an item far dearer than a turn pays for itself over many turns at once", () => {
  const queue = new FairQueue<string>(1);
  queue.push("one", 1_000_000_000, "dear");
  queue.push("two", 999_999_999, "nearly as dear");
  expect(drained(queue)).toEqual(["nearly as dear", "dear"]);
});

test("without room for the next one nothing is taken, and nothing passes it", () => {
  const queue = new FairQueue<string>(100);
  queue.push("one", 50, "large");
  queue.push("one", 1, "small");
  expect(queue.take(49)).toBeUndefined();
  expect(queue.take(50)).toBe("large");
  expect(queue.take(1)).toBe("small");
});

test("what is removed leaves no trace, and an owner without items saves nothing up", () => {
  const queue = new FairQueue<string>(10);
  queue.push("one", 10, "gone");
  queue.push("two", 10, "stays");
  expect(queue.remove("gone")).toBe(true);
  expect(queue.remove("gone")).toBe(false);
  expect(drained(queue)).toEqual(["stays"]);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { Turnstile } from "./turnstile.js";

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test("results come in the order of asking, whatever is faster, and one per turn", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ delay: fc.nat(4), fails: fc.boolean() }), { maxLength: 12 }),
      async (calls) => {
        const turnstile = new Turnstile();
        const order: string[] = [];
        const results = calls.map(({ delay, fails }, index) =>
          turnstile
            .admit(
              async () => {
                if (delay > 0) await wait(delay);
                if (fails) throw new Error(`${index}`);
                return index;
              },
              () => order.push(`delivered ${index}`),
            )
            .then(
              () => order.push(`resolved ${index}`),
              () => order.push(`rejected ${index}`),
            ),
        );
        await Promise.all(results);
        await turnstile.idle();
        const expected = calls.flatMap(({ fails }, index) => [
          `delivered ${index}`,
          `${fails ? "rejected" : "resolved"} ${index}`,
        ]);
        expect(order).toEqual(expected);
      },
    ),
    { numRuns: 50 },
  );
});

test("what follows from one result happens before the next is handed out", async () => {
  const turnstile = new Turnstile();
  const order: string[] = [];
  const chain = async (name: string, delay: number, turns: number) => {
    await turnstile.admit(
      async () => {
        if (delay > 0) await wait(delay);
      },
      () => {},
    );
    // The method's own code may take several turns of microtasks before it asks for more.
    for (let index = 0; index < turns; index++) await null;
    order.push(name);
  };
  await Promise.all([chain("slow", 5, 20), chain("fast", 0, 5), chain("middle", 2, 0)]);
  expect(order).toEqual(["slow", "fast", "middle"]);
});

test("a call can wait for those before it", async () => {
  const turnstile = new Turnstile();
  const order: string[] = [];
  const first = turnstile.admit(
    async () => wait(5),
    () => order.push("first"),
  );
  const second = turnstile.admit(
    async (turn) => {
      await turn;
      order.push("second works");
    },
    () => order.push("second"),
  );
  await Promise.all([first, second]);
  expect(order).toEqual(["first", "second works", "second"]);
});

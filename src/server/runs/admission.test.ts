import { describe, expect, test } from "vitest";
import { ApiError } from "../api-error.js";
import { Admission, type AdmissionLimits, type Candidate } from "./admission.js";

const limits: AdmissionLimits = {
  concurrency: 2,
  queue: 3,
  streamsPerKey: 4,
  requestCost: 1000,
  capacityTokens: 500,
};

/** A candidate that works until it is told to end. */
function candidate(name: string, started: string[], cost = 10, owner = "one") {
  let end = () => {};
  const work = new Promise<void>((resolve) => {
    end = resolve;
  });
  const start = () => {
    started.push(name);
    return work;
  };
  return { owner, cost, start, end } satisfies Candidate & { end(): void };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function refusal(enter: () => void): ApiError {
  try {
    enter();
  } catch (error) {
    if (error instanceof ApiError) return error;
  }
  throw new Error("it was not refused");
}

describe("admission", () => {
  test("starts as many as there is room for; exactly the overflow of the queue gets 429 and a time to wait", async () => {
    const admission = new Admission(limits);
    const started: string[] = [];
    const all = ["a", "b", "c", "d", "e"].map((name) => candidate(name, started));
    for (const one of all) admission.enter("one", [one], false);
    expect(started).toEqual(["a", "b"]);
    const refused = refusal(() => admission.enter("two", [candidate("f", started)], false));
    expect(refused).toMatchObject({ status: 429, code: "queue_full" });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    all[0]!.end();
    await turn();
    expect(started).toEqual(["a", "b", "c"]);
    admission.enter("two", [candidate("g", started, 10, "two")], false);
    expect(admission.state).toEqual({ waiting: 3, running: 2, tokens: 20 });
  });

  test("refuses what is dearer than any request may be before anything is queued", () => {
    const admission = new Admission(limits);
    const answers = Array.from({ length: 64 }, () => candidate("a", [], 20));
    const refused = refusal(() => admission.enter("one", answers, false));
    expect(refused).toMatchObject({ status: 400, code: "cost_limit" });
    expect(refused.message).toContain("1280");
    expect(admission.state).toEqual({ waiting: 0, running: 0, tokens: 0 });
  });

  test("limits the requests of one key, until they are over", () => {
    const admission = new Admission(limits);
    for (let index = 0; index < 4; index++) admission.enter("key", [candidate("a", [])], true);
    expect(refusal(() => admission.enter("key", [candidate("b", [])], true)).code).toBe("key_limit");
    admission.leave("key");
    admission.enter("key", [candidate("c", [])], true);
  });

  test("admits by predicted tokens, and lets one that is dearer than all alone in", async () => {
    const admission = new Admission(limits);
    const started: string[] = [];
    const large = candidate("large", started, 800);
    admission.enter("one", [large], false);
    admission.enter("one", [candidate("small", started, 1)], false);
    expect(started).toEqual(["large"]);
    large.end();
    await turn();
    expect(started).toEqual(["large", "small"]);
  });

  test("a request of many answers waits as one and lets another key in between", async () => {
    const admission = new Admission({ ...limits, concurrency: 1, requestCost: 1e6, capacityTokens: 1e6 });
    const started: string[] = [];
    const many = Array.from({ length: 64 }, (_, index) => candidate(`many ${index}`, started, 2048, "many"));
    admission.enter("many", many, false);
    const single = candidate("single", started, 2048, "single");
    admission.enter("single", [single], false);
    many[0]!.end();
    await turn();
    many[1]!.end();
    await turn();
    expect(started.slice(0, 3)).toContain("single");
  });

  test("what is withdrawn never starts, and makes room in the queue", () => {
    const admission = new Admission({ ...limits, concurrency: 1, queue: 1 });
    const started: string[] = [];
    admission.enter("one", [candidate("a", started)], false);
    const waiting = candidate("b", started);
    admission.enter("one", [waiting], false);
    expect(admission.withdraw(waiting)).toBe(true);
    expect(admission.withdraw(waiting)).toBe(false);
    admission.enter("one", [candidate("c", started)], false);
    expect(admission.state.waiting).toBe(1);
  });
});

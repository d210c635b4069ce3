/** On problems with a known optimum: more budget finds more right answers, and methods rank as their cards predict. */
import { describe, expect, test } from "vitest";
import { toyPlanScore, toyPlans } from "../../src/testing/toy-plans.js";
import { toyProblem } from "../../src/testing/toy-problems.js";

const problems = 60;
const { chance } = toyProblem({ index: 0 });

describe("under an exact reward", () => {
  test.each(Object.keys(toyPlans))("%s finds more right answers with more budget", async (name) => {
    const scores = [];
    for (const n of [1, 4, 16]) scores.push(await toyPlanScore(name, n, problems, {}));
    const [one, four, sixteen] = scores as [(typeof scores)[0], (typeof scores)[0], (typeof scores)[0]];
    expect(four.success).toBeGreaterThan(one.success);
    expect(sixteen.success).toBeGreaterThan(four.success);
    for (const [index, n] of [1, 4, 16].entries()) expect(scores[index]!.tokens).toBeLessThanOrEqual(7 * n);
  });

  test("best-of-n and step-level best-of-n meet their closed forms", async () => {
    for (const n of [2, 8]) {
      const forms = { "best-of-n": 1 - (1 - chance) ** n, "step-best-of-n": (1 - 0.4 ** n) ** 6 };
      for (const [name, expected] of Object.entries(forms)) {
        const { success } = await toyPlanScore(name, n, 150, {});
        const error = Math.sqrt((expected * (1 - expected)) / 150);
        expect(Math.abs(success - expected)).toBeLessThan(3.3 * error + 1e-9);
      }
    }
  });

  test("a-star card: more right answers than best-of-16 for less than half of its tokens", async () => {
    const [search, choice] = [
      await toyPlanScore("a-star", 16, problems, {}),
      await toyPlanScore("best-of-n", 16, problems, {}),
    ];
    expect(search.success).toBeGreaterThan(choice.success);
    expect(search.tokens).toBeLessThan(choice.tokens / 2);
  });

  test("particle card: a beam is no worse than particles", async () => {
    const [beam, particles] = [
      await toyPlanScore("beam", 16, problems, {}),
      await toyPlanScore("particle-filter", 16, problems, {}),
    ];
    expect(beam.success).toBeGreaterThanOrEqual(particles.success - 2 * particles.error);
  });

  test("compute-optimal card: at equal tokens a beam finds more than lookahead", async () => {
    const [beam, lookahead] = [
      await toyPlanScore("beam", 4, problems, {}),
      await toyPlanScore("lookahead", 4, problems, {}),
    ];
    expect(beam.success).toBeGreaterThan(lookahead.success);
  });
});

describe("under a noisy reward", () => {
  const noise = 0.15;

  test("particle card: particles above best-of-n at 4, 8 and 16, and at 16 not below a beam", async () => {
    for (const n of [4, 8, 16]) {
      const particles = await toyPlanScore("particle-filter", n, problems, { noise });
      const choice = await toyPlanScore("best-of-n", n, problems, { noise });
      expect(particles.success).toBeGreaterThan(choice.success);
      if (n < 16) continue;
      const beam = await toyPlanScore("beam", n, problems, { noise });
      expect(particles.success).toBeGreaterThan(beam.success - beam.error);
    }
  });

  test("a-star card: its lead over best-of-n shrinks, and vanishes where the reward knows nothing", async () => {
    const leads = [];
    for (const level of [0, 0.3, 0.5]) {
      const search = await toyPlanScore("a-star", 8, 150, { noise: level });
      leads.push(search.success - (await toyPlanScore("best-of-n", 8, 150, { noise: level })).success);
    }
    const [exact, noisy, none] = leads as [number, number, number];
    expect(exact).toBeGreaterThan(noisy);
    expect(noisy).toBeGreaterThan(none - 0.05);
    expect(Math.abs(none)).toBeLessThan(0.1);
  });
});

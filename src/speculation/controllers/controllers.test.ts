import { describe, expect, it } from "vitest";
import { DraftTree, pointProposal, root } from "../../core/draft-tree.js";
import { keyedUniform } from "../../core/random.js";
import type {
  ControllerResources,
  ControllerView,
  OpenController,
  Plan,
  SpeculationCosts,
  Verified,
} from "../../core/speculation.js";
import { Acceptance } from "./acceptance.js";
import budget from "./budget.js";
import goodput from "./goodput.js";
import { controllers } from "./index.js";
import { PassTimes } from "./pass-times.js";

const size = {
  parameters: 1,
  multiplied: 1,
  layers: 10,
  attentionWidth: 100,
  vocabulary: 1000,
  context: 1e6,
  bytes: 1,
};
const model = { name: "", fingerprint: "", size };
const node = { token: 1, proposal: pointProposal, origin: "", parent: root };

function resources(
  costs: SpeculationCosts | null,
  more: Partial<ControllerResources> = {},
): ControllerResources {
  const loadHead = () => Promise.reject(new Error("no head"));
  return { target: model, shape: "chain", costs, loadHead, ...more };
}

const view: ControllerView = { load: 1, length: 100, left: 100, unseen: 0 };

/** A block of so many drafts, of which so many were accepted. */
function block(drafted: number, accepted: number): Verified {
  const tree = DraftTree.chain(Array.from({ length: drafted }, () => node));
  const path = Array.from({ length: accepted }, (_, index) => index);
  return { tree, rows: [], path, written: [...path, 0], tokens: [] };
}

const noTime = { draft: 0, drafted: 0, catchUp: 0, read: 0, target: 1 };
const depthOf = (plan: Plan) => ("plain" in plan ? 0 : plan.depth);
const nodesOf = (plan: Plan) => ("plain" in plan ? 0 : plan.nodes);

describe("Acceptance", () => {
  it("expects what a simulated chain writes", () => {
    for (const rate of [0, 0.3, 0.8, 1]) {
      const acceptance = new Acceptance({ start: rate, weight: 0.1 });
      for (const depth of [0, 1, 4, 9]) {
        let tokens = 0;
        const rounds = 20_000;
        for (let round = 0; round < rounds; round++) {
          let taken = 0;
          while (taken < depth && keyedUniform(depth, "", round, String(taken)) < rate) taken++;
          tokens += taken + 1;
        }
        expect(Math.abs(acceptance.tokens(depth) / (tokens / rounds) - 1)).toBeLessThan(0.01);
      }
    }
  });

  it("learns each depth for itself, and nothing from a step that ended under way", () => {
    const acceptance = new Acceptance({ start: 0.5, weight: 0.05 });
    for (let round = 0; round < 200; round++) acceptance.learn(block(3, 1));
    expect(acceptance.at(0)).toBeGreaterThan(0.99);
    expect(acceptance.at(1)).toBeLessThan(0.01);
    const cut = new Acceptance({ start: 0.5, weight: 0.05 });
    cut.learn({ ...block(3, 0), written: [] });
    expect(cut.at(0)).toBe(0.5);
    cut.fade(1);
    acceptance.fade(1);
    expect(acceptance.at(1)).toBe(0.5);
  });
});

describe("PassTimes", () => {
  it("draws straight lines between what was measured, and on at the last slope", () => {
    const times = new PassTimes();
    expect(times.at(3)).toBeUndefined();
    times.observe(4, 8);
    expect([times.at(1), times.at(4), times.at(8)]).toEqual([8, 8, 16]);
    times.observe(2, 4);
    expect([times.at(1), times.at(3), times.at(6)]).toEqual([2, 6, 12]);
    // One wild measurement is a disturbance.
    times.observe(4, 1000);
    expect(times.at(4)).toBeLessThan(12);
  });
});

describe("goodput", () => {
  const open = (costs: SpeculationCosts) =>
    goodput.open(goodput.schema.parse({}), resources(costs)) as OpenController;
  const free = () => 0;

  it("drafts most where passes cost the same however wide, and nothing where each token has its price", () => {
    expect(depthOf(open({ target: () => 1, draft: free }).choose(view))).toBe(8);
    expect(depthOf(open({ target: (tokens) => tokens, draft: free }).choose(view))).toBe(0);
  });

  it("drafts less under load, and more the more is accepted", () => {
    const costs = { target: (tokens: number) => 1 + 0.1 * tokens, draft: (nodes: number) => 0.05 * nodes };
    const byLoad = [1, 2, 4, 8, 16, 64].map((load) => depthOf(open(costs).choose({ ...view, load })));
    expect(byLoad).toEqual(byLoad.toSorted((a, b) => b - a));
    expect(byLoad[0]).toBeGreaterThan(0);
    expect(byLoad.at(-1)).toBe(0);
    const byAcceptance = [0, 1, 2, 4].map((accepted) => {
      const controller = open(costs);
      for (let round = 0; round < 60; round++) controller.learn!(block(4, accepted), noTime);
      return depthOf(controller.choose(view));
    });
    expect(byAcceptance).toEqual(byAcceptance.toSorted((a, b) => a - b));
    expect(byAcceptance[0]).toBe(0);
  });

  it("tries again after a while without drafts", () => {
    const controller = open({ target: (tokens) => 1 + 0.1 * tokens, draft: free });
    for (let round = 0; round < 60; round++) controller.learn!(block(4, 0), noTime);
    expect(depthOf(controller.choose(view))).toBe(0);
    let tokens = 0;
    while (depthOf(controller.choose(view)) === 0 && tokens < 1000) {
      controller.learnPlain!(20, 20);
      tokens += 20;
    }
    expect(tokens).toBeLessThan(500);
  });

  it("finds with its one peak what a full search finds", () => {
    for (let trial = 0; trial < 200; trial++) {
      const [slope, drafting, start] = ["s", "d", "a"].map((name) => keyedUniform(trial, "", 0, name)) as [
        number,
        number,
        number,
      ];
      const costs = {
        target: (tokens: number) => 1 + 0.3 * slope * tokens,
        draft: (nodes: number) => 0.1 * drafting * nodes,
      };
      const controller = goodput.open(goodput.schema.parse({ start }), resources(costs)) as OpenController;
      const rate = (depth: number) =>
        (new Acceptance({ start, weight: 1 }).tokens(depth) /
          (costs.draft(depth) + costs.target(depth + 1))) *
        (depth === 0 ? 1.1 : 1);
      const depths = Array.from({ length: 9 }, (_, depth) => depth);
      const best = Math.max(...depths.map(rate));
      expect(rate(depthOf(controller.choose(view)))).toBeCloseTo(best, 9);
    }
  });
});

describe("budget", () => {
  const costs = { target: (tokens: number) => 1 + 0.02 * tokens, draft: () => 0 };
  const nodes = (memory: number, load = 1) => {
    const options = budget.schema.parse({ memory, cacheBytes: 2 ** 20 - 4 * size.vocabulary });
    const controller = budget.open(options, resources(costs, { shape: "tree" })) as OpenController;
    return nodesOf(controller.choose({ ...view, load }));
  };

  it("drafts within its memory, more of it where there is more, shared by those that write", () => {
    const byMemory = [0, 0.5, 1, 3, 8, 100].map((memory) => nodes(memory));
    expect(byMemory).toEqual([0, 0, 1, 3, 8, 32]);
    expect(nodes(16, 4)).toBe(4);
    expect(nodes(2, 4)).toBe(0);
  });

  it("does without drafts where they promise too little", () => {
    const dear = { target: (tokens: number) => tokens, draft: () => 0 };
    const controller = budget.open(budget.schema.parse({}), resources(dear)) as OpenController;
    expect(nodesOf(controller.choose(view))).toBe(0);
  });
});

describe("controllers", () => {
  it("have a name, an essence, a source and options with descriptions", async () => {
    for (const [index, controller] of (await controllers.all()).entries()) {
      expect(controller.name).toBe(controllers.names[index]);
      expect(controller.essence && controller.source).toBeTruthy();
      for (const field of Object.values(controller.schema.shape)) {
        expect((field as { description?: string }).description).toBeTruthy();
      }
    }
  });
});

import { describe, expect, it } from "vitest";
import { DraftTree, pointProposal, root } from "../../core/draft-tree.js";
import { keyedUniform } from "../../core/random.js";
import type { ControllerResources, OpenController, SpeculationCosts } from "../../core/speculation.js";
import auto from "./auto.js";

/** A machine on paper: what passes cost, in plain tokens' time, and how often a draft is accepted. */
interface World {
  readonly acceptance: number | ((token: number) => number);
  readonly target: (width: number) => number;
  /** Of one drafted token. */
  readonly draft: number;
  /** Of one token that the draft model has not seen. */
  readonly reading?: number;
  readonly prompt?: number;
  readonly costs?: SpeculationCosts;
  /** Share of places that the drafter has something for. */
  readonly found?: number;
}

const size = { parameters: 1, layers: 1, attentionWidth: 1, vocabulary: 9, context: 1e6, bytes: 1 };
const node = { token: 1, proposal: pointProposal, origin: "", parent: root };

function open({ draft, costs }: World): OpenController {
  const model = (multiplied: number) => ({ name: "", fingerprint: "", size: { ...size, multiplied } });
  const resources: ControllerResources = {
    target: model(1000),
    draft: draft > 0 ? model(1000 * draft) : undefined,
    shape: "chain",
    costs: costs ?? null,
    loadHead: () => Promise.reject(new Error("no head")),
  };
  return auto.open(auto.schema.parse({}), resources) as OpenController;
}

/** Time of writing answers of so many tokens, in plain tokens' time per token. */
function simulate(world: World, answers: number, length: number, controller = open(world)): number {
  const { acceptance, target, draft, reading = 0, prompt = 0, found = 1 } = world;
  const at = typeof acceptance === "number" ? () => acceptance : acceptance;
  let time = 0;
  let coins = 0;
  const coin = () => keyedUniform(1, "", coins++, "coin");
  for (let answer = 0; answer < answers; answer++) {
    let seen = 0;
    for (let written = 0; written < length; ) {
      const left = length - written;
      const position = prompt + written;
      const unseen = draft > 0 ? Math.max(0, position - seen - 1) : 0;
      const plan = controller.choose({ load: 1, length: position, left, unseen });
      if ("plain" in plan) {
        const tokens = Math.min(left, plan.plain);
        // Measured times are never exact.
        const seconds = tokens * (0.95 + 0.1 * coin());
        controller.learnPlain?.(tokens, seconds);
        time += seconds;
        written += tokens;
        continue;
      }
      const drafts = coin() < found ? Math.min(plan.nodes, Math.max(0, left - 1)) : 0;
      let accepted = 0;
      while (accepted < drafts && coin() < at(answer * length + written)) accepted++;
      const tree = DraftTree.chain(Array.from({ length: drafts }, () => node));
      const seconds = {
        draft: draft * drafts,
        drafted: drafts,
        catchUp: reading * unseen,
        read: unseen,
        target: target(drafts + 1) * (0.95 + 0.1 * coin()),
      };
      const path = Array.from({ length: accepted }, (_, index) => index);
      const tokens = Array.from({ length: accepted + 1 }, () => 1);
      controller.learn?.({ tree, rows: [], path, written: tokens, tokens: [] }, seconds);
      time += seconds.draft + seconds.catchUp + seconds.target;
      written += accepted + 1;
      seen = position + accepted;
    }
  }
  return time / (answers * length);
}

/** A laptop's processor: every further token of a pass costs nearly as much as the first. */
const laptop = (width: number) => (width >= 16 ? 9 * (width / 16) : 1 + 0.87 * (width - 1));
/** A machine with compute to spare. */
const wide = (width: number) => 1 + 0.03 * (width - 1);

describe("auto", () => {
  const losing: [string, World][] = [
    ["a bad table, dear passes", { acceptance: 0.1, target: laptop, draft: 0 }],
    ["a fair table, dear passes", { acceptance: 0.6, target: laptop, draft: 0 }],
    ["a table that finds little, dear passes", { acceptance: 0.3, target: laptop, draft: 0, found: 0.1 }],
    ["nothing is accepted, cheap passes", { acceptance: 0, target: wide, draft: 0 }],
    ["a dear draft", { acceptance: 0.8, target: laptop, draft: 0.35, reading: 0.15, prompt: 150 }],
    ["a dear draft, cheap passes", { acceptance: 0.3, target: wide, draft: 0.6, reading: 0.2, prompt: 150 }],
    [
      "a dear draft, foretold",
      {
        acceptance: 0.8,
        target: laptop,
        draft: 0.35,
        reading: 0.15,
        prompt: 400,
        costs: { target: laptop, draft: (nodes) => 0.35 * nodes },
      },
    ],
  ];

  it.each(losing)("loses less than 3 %% where drafts do not pay: %s", (_, world) => {
    expect(simulate(world, 1, 300)).toBeLessThan(1.03);
    expect(simulate(world, 20, 300)).toBeLessThan(1.03);
    expect(simulate(world, 100, 40)).toBeLessThan(1.03);
  });

  const winning: [string, World, number][] = [
    ["a good table, cheap passes", { acceptance: 0.8, target: wide, draft: 0 }, 0.4],
    ["a perfect copy, dear passes", { acceptance: 0.99, target: laptop, draft: 0 }, 0.72],
    [
      "a cheap draft, cheap passes",
      { acceptance: 0.8, target: wide, draft: 0.05, reading: 0.01, prompt: 100 },
      0.55,
    ],
  ];

  it.each(winning)("wins where drafts pay: %s", (_, world, most) => {
    expect(simulate(world, 10, 300)).toBeLessThan(most);
  });

  it("stops when drafts turn bad, and begins again when they turn good", () => {
    const world: World = {
      acceptance: (token) => (token < 3000 || token > 9000 ? 0.85 : 0),
      target: wide,
      draft: 0,
    };
    const controller = open(world);
    const good = simulate(world, 10, 300, controller);
    expect(good).toBeLessThan(0.4);
    const bad: World = { ...world, acceptance: 0 };
    expect(simulate(bad, 20, 300, controller)).toBeLessThan(1.05);
    expect(simulate(world, 10, 300, controller)).toBeLessThan(0.6);
  });
});

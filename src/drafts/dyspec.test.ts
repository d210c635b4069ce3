import { expect, test } from "vitest";
import type { SparseLaw } from "../core/sparse-law.js";
import type { Token } from "../core/step.js";
import { chiSquare, draftRequest, ids, letterModel, paths, sampled } from "../testing/draft-world.js";
import dyspec from "./dyspec.js";
import model from "./model.js";

const target = letterModel(1);

async function sessionOf(options: Record<string, unknown> = {}, draft = letterModel(2, 4)) {
  const opened = await dyspec.open({ target, draft }, dyspec.schema.parse(options));
  return opened.begin(ids("ab"));
}

type Tree = Awaited<ReturnType<Awaited<ReturnType<typeof sessionOf>>["propose"]>>["tree"];

/** How likely the walk comes to each node's draw, by the draft's own laws: what the builders go by. */
function estimates(tree: Tree): number[] {
  const walk = (parent: number, arriving: number): [number, number][] => {
    let left = arriving;
    const taken: Token[] = [];
    return tree.children(parent).flatMap((node) => {
      const { token, proposal } = tree.nodes[node]!;
      const { law } = proposal as { law: SparseLaw };
      const rest = law.tokens.filter((each) => !taken.includes(each));
      const mass = rest.reduce((sum, each) => sum + law.probabilities[law.tokens.indexOf(each)]!, 0);
      const chance = law.probabilities[law.tokens.indexOf(token)]! / mass;
      const own: [number, number] = [node, left];
      const below = walk(node, left * chance);
      taken.push(token);
      left *= 1 - chance;
      return [own, ...below];
    });
  };
  return walk(-1, 1)
    .sort(([a], [b]) => a - b)
    .map(([, estimate]) => estimate);
}

test("the greedy builder draws in falling order of its estimates, and uses all nodes", async () => {
  const session = await sessionOf({ builder: "greedy" });
  for (let seed = 0; seed < 20; seed++) {
    const request = draftRequest("ab", { nodes: 12, depth: 12, sampling: { ...sampled, seed } });
    const { tree } = await session.propose(request);
    expect(tree.size).toBe(12);
    const values = estimates(tree);
    for (const [index, value] of values.entries()) {
      if (index > 0) expect(value).toBeLessThanOrEqual(values[index - 1]! + 1e-12);
    }
  }
});

test("the threshold builder at the greedy one's last estimate grows the same tree, in a pass per layer", async () => {
  const greedily = await sessionOf({ builder: "greedy" });
  for (let seed = 0; seed < 20; seed++) {
    const request = draftRequest("ab", { nodes: 10, depth: 12, sampling: { ...sampled, seed } });
    const { tree } = await greedily.propose(request);
    const threshold = estimates(tree).at(-1)! - 1e-12;
    const layered = await sessionOf({ builder: "threshold", threshold });
    const other = await layered.propose({ ...request, nodes: 11 });
    expect(new Set(paths(other.tree))).toEqual(new Set(paths(tree)));
  }
});

test("siblings differ, and the first one has the draft's law, whatever grew below it", async () => {
  for (const builder of ["greedy", "threshold"]) {
    const session = await sessionOf({ builder });
    const counts = new Map<Token, number>();
    let law: SparseLaw | undefined;
    for (let seed = 0; seed < 2500; seed++) {
      const request = draftRequest("ab", { nodes: 5, sampling: { ...sampled, seed } });
      const { tree } = await session.propose(request);
      for (const parent of [-1, ...tree.nodes.keys()]) {
        const tokens = tree.children(parent).map((node) => tree.nodes[node]!.token);
        expect(new Set(tokens).size).toBe(tokens.length);
      }
      const first = tree.nodes[tree.children(-1)[0]!]!;
      law = (first.proposal as { law: SparseLaw }).law;
      counts.set(first.token, (counts.get(first.token) ?? 0) + 1);
    }
    expect(chiSquare(counts, law!)).toBeLessThan(5);
  }
});

test("one node is the first draft of a chain, and a sure draft gives a chain", async () => {
  const draft = letterModel(2, 4);
  const chain = await (await model.open({ target, draft }, { draws: "sampled", head: 64 })).begin(ids("ab"));
  for (const builder of ["greedy", "threshold"]) {
    const session = await sessionOf({ builder }, draft);
    const request = draftRequest("ab", { nodes: 1 });
    expect(paths((await session.propose(request)).tree)).toEqual(paths((await chain.propose(request)).tree));
    const sure = await sessionOf({ builder }, letterModel(3, 200));
    const { tree } = await sure.propose(draftRequest("ab", { nodes: 4, depth: 4 }));
    expect(tree.depth).toBe(4);
  }
});

test("temperature 0 takes the best places as points, or draws at its own temperature", async () => {
  const greedySampling = { ...sampled, temperature: 0 };
  const best = await (await sessionOf()).propose(draftRequest("ab", { sampling: greedySampling }));
  expect(best.tree.nodes.every(({ proposal }) => proposal.kind === "point")).toBe(true);
  const again = await (await sessionOf()).propose(
    draftRequest("ab", { sampling: { ...greedySampling, seed: 9 } }),
  );
  expect(paths(again.tree)).toEqual(paths(best.tree));
  const drawn = await (await sessionOf({ temperature: 0.6 })).propose(
    draftRequest("ab", { sampling: greedySampling }),
  );
  expect(drawn.tree.nodes.every(({ proposal }) => proposal.kind === "without-replacement")).toBe(true);
});

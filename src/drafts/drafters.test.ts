/** What every drafter is held to, whatever it drafts from. */
import { describe, expect, test } from "vitest";
import { root } from "../core/draft-tree.js";
import type { Drafter, DraftRequest, DraftSession } from "../core/speculation.js";
import { draftRequest, ids, letterModel, paths, sampled, verified } from "../testing/draft-world.js";
import { drafters } from "./index.js";

const all = await drafters.all();
const text = "abcdeabcdabcab";

/** A white box as far as it says: it reads the heaviest token of a mixture. */
const whiteBox = ["text", "logits", "branch", "tree", "graph"] as const;

async function opened(drafter: Drafter, draft = letterModel(2, 2, { capabilities: whiteBox })) {
  const target = letterModel(1);
  const resources = { target, draft, texts: ["abcdeabd"] };
  const open = await drafter.open(resources, drafter.schema.parse({}));
  return { open, target, draft };
}

/** Verifies a draft as the target would that keeps the first child twice and then writes its own token. */
function settle(session: DraftSession, request: DraftRequest, tree: Parameters<typeof verified>[0]) {
  const path: number[] = [];
  for (let node = root; path.length < 2 && tree.children(node).length > 0; ) {
    node = tree.children(node)[0]!;
    path.push(node);
  }
  const block = verified(tree, request.tokens, path, ids("e")[0]!, () =>
    ids("cab").map((token, rank) => ({ token, logprob: -1 - rank })),
  );
  session.learn?.(block);
  return [...request.tokens, ...block.written];
}

describe.each(all.map((drafter) => [drafter.name, drafter] as const))("%s", (name, drafter) => {
  test("is registered by its name and says what it is", async () => {
    expect(await drafters.get(name)).toBe(drafter);
    for (const words of [drafter.essence, drafter.source, drafter.cost, drafter.use])
      expect(words).toMatch(/\w/);
    for (const [key, field] of Object.entries(drafter.schema.shape)) {
      expect((field as { description?: string }).description, key).toMatch(/\w/);
    }
  });

  test("keeps to nodes and depth, tells kinds that it announced, and laws that sum to 1 and hold the token", async () => {
    const { open } = await opened(drafter);
    const session = open.begin(ids(text));
    let tokens = ids(text);
    for (let block = 0; block < 12; block++) {
      const limits = { nodes: 1 + (block % 7), depth: 1 + (block % 4) };
      const temperature = block % 3 === 0 ? 0 : 0.8;
      const request = draftRequest(tokens, { ...limits, sampling: { ...sampled, temperature, seed: block } });
      const { tree } = await session.propose(request);
      expect(tree.size).toBeLessThanOrEqual(limits.nodes);
      expect(tree.depth).toBeLessThanOrEqual(limits.depth);
      for (const { token, proposal } of tree.nodes) {
        expect(open.proposals ?? drafter.proposals).toContain(proposal.kind);
        expect(drafter.proposals).toContain(proposal.kind);
        if (proposal.kind === "point") continue;
        const { law } = proposal;
        expect(law.probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
        expect(law.probabilities[law.tokens.indexOf(token)]).toBeGreaterThan(0);
      }
      if (drafter.shape === "chain") {
        for (const parent of [root, ...tree.nodes.keys()]) {
          expect(tree.children(parent).length).toBeLessThanOrEqual(1);
        }
      }
      tokens = settle(session, request, tree);
    }
    session.drop();
  });

  test("drafts the same again: nothing but seed, key, text and what was learned decides", async () => {
    const texts: string[][] = [];
    for (const _ of [1, 2]) {
      const { open } = await opened(drafter);
      const session = open.begin(ids(text));
      const told: string[] = [];
      let tokens = ids(text);
      for (let block = 0; block < 5; block++) {
        const request = draftRequest(tokens, { sampling: { ...sampled, seed: 3 } });
        const { tree } = await session.propose(request);
        told.push(paths(tree).join(" "));
        tokens = settle(session, request, tree);
      }
      session.drop();
      texts.push(told);
    }
    expect(texts[0]).toEqual(texts[1]);
  });

  test("a fork goes its own way, and nothing is left open after the drops", async () => {
    const { open, target, draft } = await opened(drafter);
    const session = open.begin(ids(text));
    const request = draftRequest(text);
    const tokens = settle(session, request, (await session.propose(request)).tree);
    const fork = session.fork();
    const other = draftRequest([...tokens, ...ids("ab")]);
    settle(fork, other, (await fork.propose(other)).tree);
    // A rollback, as after a step that is rejected.
    const back = await session.propose(draftRequest(tokens.slice(0, -1), { nodes: 3 }));
    expect(back.tree.size).toBeLessThanOrEqual(3);
    session.drop();
    session.drop();
    fork.drop();
    await open.close?.();
    expect(draft.liveBranches + target.liveBranches).toBe(0);
  });

  test("an aborted draft is refused and does no harm to the next one", async () => {
    const { open } = await opened(drafter);
    const session = open.begin(ids(text));
    const signal = AbortSignal.abort();
    const request = draftRequest(text);
    await session.propose({ ...request, signal }).catch(() => {});
    const fresh = (await opened(drafter)).open.begin(ids(text));
    expect(paths((await session.propose(request)).tree)).toEqual(paths((await fresh.propose(request)).tree));
    session.drop();
    fresh.drop();
  });

  test("starts from a text of one token, and of none it knows", async () => {
    const { open } = await opened(drafter);
    const session = open.begin(ids("e"));
    const { tree } = await session.propose(draftRequest("e", { nodes: 2 }));
    expect(tree.size).toBeLessThanOrEqual(2);
    session.drop();
  });
});

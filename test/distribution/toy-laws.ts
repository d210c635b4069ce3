/** An order-2 target and draft over a few tokens, and drafters that tell the truth about their draws. */
import { DraftTree, type Proposal, pointProposal, root } from "../../src/core/draft-tree.js";
import { greedy, type Sampling } from "../../src/core/model.js";
import { keyedUniform } from "../../src/core/random.js";
import { lawWithout, processed, type SparseLaw } from "../../src/core/sparse-law.js";
import type { Token } from "../../src/core/step.js";
import type { ContextLaw, Draw, ToyDrafter } from "../../src/testing/index.js";

export const warm: Sampling = { ...greedy, temperature: 1 };

/** A law for every last two tokens, with a zero here and there. */
export function orderTwo(seed: number, vocabulary = 3): ContextLaw {
  const laws = new Map<string, SparseLaw>();
  return (tokens) => {
    const context = tokens.slice(-2).join(" ");
    const known = laws.get(context) ?? lawAfter(context);
    laws.set(context, known);
    return known;
  };

  function lawAfter(context: string): SparseLaw {
    const ids = Array.from({ length: vocabulary }, (_, token) => token);
    const masses = ids.map((token) => {
      const mass = keyedUniform(seed, context, token, "mass");
      return mass < 0.12 ? 0 : mass ** 2;
    });
    if (!masses.some((mass) => mass > 0)) masses[0] = 1;
    const total = masses.reduce((sum, mass) => sum + mass, 0);
    const listed = ids.filter((token) => masses[token]! > 0);
    return { tokens: listed, probabilities: listed.map((token) => masses[token]! / total) };
  }
}

/** A place of a tree under construction: what leads to it and its name in purposes. */
interface Bud {
  readonly node: number;
  readonly tokens: readonly Token[];
  readonly name: string;
}

/** Grows a tree level by level; `children` drafts behind one place. */
function grow(
  depth: number,
  children: (tree: DraftTree, bud: Bud) => readonly (readonly [node: number, token: Token])[],
  tokens: readonly Token[],
): DraftTree {
  const tree = new DraftTree();
  let buds: Bud[] = [{ node: root, tokens, name: "" }];
  for (let level = 0; level < depth; level++) {
    buds = buds.flatMap((bud) =>
      children(tree, bud).map(([node, token], index) => ({
        node,
        tokens: [...bud.tokens, token],
        name: `${bud.name}.${index}`,
      })),
    );
  }
  return tree;
}

/** `width` draws at each place, independent of each other; `merge`: equal ones are one node that is listed again. */
export function independentTree(
  draft: ContextLaw,
  { width = 1, depth = 2, merge = false }: { width?: number; depth?: number; merge?: boolean } = {},
): ToyDrafter {
  return (tokens, draw, sampling) =>
    grow(
      depth,
      (tree, bud) => {
        const law = processed(draft(bud.tokens), sampling);
        const proposal: Proposal = { kind: "independent", law };
        const nodes = new Map<Token, number>();
        const added: [number, Token][] = [];
        for (let sibling = 0; sibling < width; sibling++) {
          const token = draw(law, `${bud.name}:${sibling}`);
          const equal = nodes.get(token);
          if (merge && equal !== undefined) tree.repeat(equal);
          else {
            const node = tree.add({ token, parent: bud.node, proposal, origin: "toy" });
            nodes.set(token, node);
            added.push([node, token]);
          }
        }
        return added;
      },
      tokens,
    );
}

/** Up to `width` different draws at each place. */
export function distinctTree(draft: ContextLaw, { width = 2, depth = 2 } = {}): ToyDrafter {
  return (tokens, draw, sampling) =>
    grow(
      depth,
      (tree, bud) => {
        const law = processed(draft(bud.tokens), sampling);
        return distinctDraws(law, width, draw, bud.name).map((token) => {
          const proposal: Proposal = { kind: "without-replacement", law };
          return [tree.add({ token, parent: bud.node, proposal, origin: "toy" }), token] as const;
        });
      },
      tokens,
    );
}

function distinctDraws(law: SparseLaw, count: number, draw: Draw, name: string): Token[] {
  const taken = new Set<Token>();
  for (let left = lawWithout(law, taken); left && taken.size < count; left = lawWithout(law, taken)) {
    taken.add(draw(left, `${name}:${taken.size}`));
  }
  return [...taken];
}

/** The same fixed tokens at every place, whatever came before. */
export function pointTree(tokensOfPlace: readonly Token[], depth = 2): ToyDrafter {
  return (tokens) =>
    grow(
      depth,
      (tree, bud) =>
        tokensOfPlace.map((token) => [
          tree.add({ token, parent: bud.node, proposal: pointProposal, origin: "toy" }),
          token,
        ]),
      tokens,
    );
}

/** These tokens one behind the other. */
export function fixedChain(chain: readonly Token[]): ToyDrafter {
  return () => DraftTree.chain(chain.map((token) => ({ token, proposal: pointProposal, origin: "toy" })));
}

/** Siblings of three kinds: fixed, drawn from two laws, and different draws of a third. */
export function mixedTree(one: ContextLaw, two: ContextLaw): ToyDrafter {
  return (tokens, draw, sampling) =>
    grow(
      1,
      (tree, bud) => {
        const add = (token: Token, proposal: Proposal) =>
          [tree.add({ token, parent: bud.node, proposal, origin: "toy" }), token] as const;
        const first = processed(one(bud.tokens), sampling);
        const second = processed(two(bud.tokens), sampling);
        const fixed = bud.tokens.length % 3;
        const distinct = distinctDraws(second, 2, draw, "distinct");
        return [
          add(draw(first, "first"), { kind: "independent", law: first }),
          add(distinct[0]!, { kind: "without-replacement", law: second }),
          add(fixed, pointProposal),
          ...distinct.slice(1).map((token) => add(token, { kind: "without-replacement", law: second })),
        ];
      },
      tokens,
    );
}

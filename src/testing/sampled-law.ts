/** Texts written by drafters and rules at work, counted over many seeds: what the exact law cannot enumerate. */
import type { DraftTree } from "../core/draft-tree.js";
import type { Sampling } from "../core/model.js";
import { keyedUniform } from "../core/random.js";
import { pick } from "../core/sparse-law.js";
import type { DraftSession, OpenRule, Verified } from "../core/speculation.js";
import type { Token } from "../core/step.js";
import { exactRow } from "../models/scripted-tree.js";
import { askedTokens, walk } from "../speculation/walk.js";
import type { ContextLaw, SpeculationCase, ToyDrafter } from "./exact-law.js";

export interface SampledTexts {
  /** How often each text came, its tokens joined by spaces. */
  readonly counts: Map<string, number>;
  readonly blocks: number;
  readonly drafted: number;
  readonly accepted: number;
}

interface Counting {
  counts: Map<string, number>;
  blocks: number;
  drafted: number;
  accepted: number;
}

const key = "toy";

/** A text for each of so many seeds. */
export function sampleTexts(given: SpeculationCase, runs: number): SampledTexts {
  const texts: Counting = { counts: new Map(), blocks: 0, drafted: 0, accepted: 0 };
  for (let seed = 0; seed < runs; seed++) {
    const sampling = { ...given.sampling, seed };
    const tokens: Token[] = [];
    while (tokens.length < given.length) {
      const tree = draftTree(given.drafter, tokens, sampling);
      verify({ ...given, sampling }, tree, tokens, texts);
    }
    count(texts, tokens, given.length);
  }
  return texts;
}

export function draftTree(drafter: ToyDrafter, tokens: readonly Token[], sampling: Sampling): DraftTree {
  const draw = (law: Parameters<typeof pick>[0], purpose: string) =>
    pick(law, keyedUniform(sampling.seed, key, tokens.length, `draft:${purpose}`));
  return drafter(tokens, draw, sampling);
}

export interface SessionCase {
  readonly target: ContextLaw;
  /** The session stands before `prefix`, whose tokens the texts come after. */
  readonly session: DraftSession;
  readonly prefix: readonly Token[];
  /** Nodes and depth of a draft. */
  readonly nodes: number;
  readonly depth: number;
  /** Candidates that the drafter learns from each row. */
  readonly topK: number;
  readonly rule: OpenRule;
  readonly sampling: Sampling;
  readonly length: number;
}

/** As `sampleTexts`, for a drafter of `src/drafts` or of your own: it learns from every block, over all the texts. */
export async function sampleSession(given: SessionCase, runs: number): Promise<SampledTexts> {
  const texts: Counting = { counts: new Map(), blocks: 0, drafted: 0, accepted: 0 };
  const { session, prefix, nodes, depth, length } = given;
  for (let seed = 0; seed < runs; seed++) {
    const sampling = { ...given.sampling, seed };
    const branch = session.fork();
    const tokens: Token[] = [];
    while (tokens.length < length) {
      const held = [...prefix, ...tokens];
      const { tree } = await branch.propose({
        tokens: held,
        start: prefix.length,
        nodes,
        depth,
        sampling,
        key,
        hints: [],
      });
      const verified = verify({ ...given, sampling }, tree, tokens, texts);
      branch.learn?.({ ...verified, tokens: held });
    }
    branch.drop();
    count(texts, tokens, length);
  }
  return texts;
}

type Verifying = Pick<SpeculationCase, "target" | "rule" | "sampling"> &
  Partial<Pick<SessionCase, "prefix" | "topK">>;

/** Walks the tree on the target's exact rows; what was written joins the tokens. */
function verify(
  { target, rule, sampling, prefix = [], topK = 0 }: Verifying,
  tree: DraftTree,
  tokens: Token[],
  texts: Counting,
): Omit<Verified, "tokens"> {
  const asked = askedTokens(tree);
  const position = prefix.length + tokens.length;
  const rows = asked.map((ask, index) => {
    const path = tree.path(index - 1).map((node) => tree.nodes[node]!.token);
    const uniform = (purpose: string) => keyedUniform(sampling.seed, key, position + path.length, purpose);
    const most = Math.max(topK, rule.topK);
    return exactRow(target([...tokens, ...path]), { sampling, asked: ask, topK: most, uniform });
  });
  const strides = walk(tree, rows, asked, rule, { sampling, key, position });
  const written = strides.map(({ token }) => token);
  const path = strides.map(({ node }) => node).filter((node) => node >= 0);
  tokens.push(...written);
  texts.blocks++;
  texts.drafted += tree.size;
  texts.accepted += path.length;
  return { tree, rows, path, written };
}

function count(texts: Counting, tokens: readonly Token[], length: number): void {
  const text = tokens.slice(0, length).join(" ");
  texts.counts.set(text, (texts.counts.get(text) ?? 0) + 1);
}

/** What the page shows of a run, always of bounded size: the run itself stays with its reader. */
import type { LedgerData } from "../../../src/core/ledger.js";
import { spanFlops } from "../../../src/core/model.js";
import type { TraceEvent } from "../../../src/core/trace-event.js";
import type { RunTree, Started, StepNode, StepState } from "./run-tree.js";

/** Longer texts are cut for the page; the events tab has them whole. */
const longestText = 20_000;
const mostSiblings = 12;
const mostTokens = 2_000;

export interface StepFacts {
  readonly id: string;
  readonly number: number;
  readonly origin: string;
  readonly state: StepState;
  readonly text: string;
  readonly tokens: number;
  readonly reward: number | null;
  readonly coin: StepNode["coin"];
}

export interface TokenFacts {
  readonly vocabulary: string;
  readonly ids: readonly number[];
  readonly logprobs: readonly number[];
  readonly entropies: readonly number[];
}

export interface ShownStep extends StepFacts {
  readonly rejected: readonly StepFacts[];
  /** Rejected ones that are not listed. */
  readonly more: number;
  readonly tokenFacts: TokenFacts | null;
}

export interface Alone {
  readonly tokens: number;
  readonly flops: number;
}

export interface RunView {
  readonly started: Started | null;
  readonly end: { readonly finish: string; readonly text: string; readonly error?: string } | null;
  readonly ledger: LedgerData;
  /** What the target alone would have cost for the answer so far. */
  readonly alone: Alone | null;
  readonly nodes: number;
  readonly steps: readonly ShownStep[];
  readonly stepCount: number;
  readonly from: number;
  /** The answer as a strip: writer and tokens of each step, and what was thrown away for it. */
  readonly strip: readonly StripPart[];
  readonly undecided: readonly StepFacts[];
  readonly undecidedMore: number;
  readonly notices: readonly string[];
  readonly hasBranches: boolean;
  readonly hasRewards: boolean;
}

export interface StripPart {
  readonly origin: string;
  readonly tokens: number;
  readonly reward: number | null;
  readonly rejected: readonly {
    readonly origin: string;
    readonly tokens: number;
    readonly reward: number | null;
  }[];
}

export interface Wanted {
  /** The window of steps. */
  readonly from: number;
  readonly count: number;
  readonly tokens: boolean;
}

const mostStrip = 400;

export function runView(tree: RunTree, wanted: Wanted): RunView {
  const path = tree.chosenPath();
  const open = [...tree.open.values()];
  const shown = path.slice(wanted.from, wanted.from + wanted.count);
  return {
    started: tree.started,
    end: endOf(tree),
    ledger: tree.ledger.toJSON(),
    alone: aloneOf(tree, path),
    nodes: tree.size,
    steps: shown.map((node) => shownStep(node, wanted.tokens)),
    stepCount: path.length,
    from: wanted.from,
    strip: path.slice(0, mostStrip).map(stripPart),
    undecided: open.slice(-6).map(factsOf),
    undecidedMore: Math.max(0, open.length - 6),
    notices: tree.notices.slice(-3),
    hasBranches: tree.size > path.length,
    hasRewards: path.some(({ reward }) => reward !== null),
  };
}

function endOf({ end }: RunTree): RunView["end"] {
  if (!end) return null;
  if (end.type === "run-failed") return { finish: "failed", text: "", error: end.error.message };
  return { finish: end.finish, text: clip(end.text) };
}

/** Null where it cannot be said: no second writer, no sizes, or steps in another tokenizer's tokens. */
function aloneOf(tree: RunTree, path: readonly StepNode[]): Alone | null {
  const { draft, target } = tree.started?.roles ?? {};
  if (!draft || !target?.size) return null;
  const ledger = tree.ledger.toJSON();
  const shared = draft.vocabulary === target.vocabulary;
  const prompt = ledger.target?.read.prompt || (shared ? ledger.draft?.read.prompt : 0);
  if (!prompt || path.length === 0) return null;
  let tokens = 0;
  for (const { written } of path) {
    if (written?.vocabulary !== target.vocabulary) return null;
    tokens += written?.tokens.length ?? 0;
  }
  return { tokens, flops: spanFlops(target.size, 0, prompt + tokens) };
}

function shownStep(node: StepNode, tokens: boolean): ShownStep {
  const siblings = node.parent!.children.filter((child) => child !== node);
  const { written } = node;
  return {
    ...factsOf(node),
    rejected: siblings.slice(0, mostSiblings).map(factsOf),
    more: Math.max(0, siblings.length - mostSiblings),
    tokenFacts:
      tokens && written
        ? {
            vocabulary: written.vocabulary,
            ids: written.tokens.slice(0, mostTokens),
            logprobs: written.logprobs.slice(0, mostTokens),
            entropies: written.entropies.slice(0, mostTokens),
          }
        : null,
  };
}

export function factsOf(node: StepNode): StepFacts {
  const { id, depth, origin, state, text, written, reward, coin } = node;
  return {
    id,
    number: depth,
    origin,
    state,
    text: clip(text),
    tokens: written?.tokens.length ?? 0,
    reward,
    coin,
  };
}

function stripPart(node: StepNode): StripPart {
  const part = ({ origin, written, reward }: StepNode) => ({
    origin,
    tokens: written?.tokens.length ?? 0,
    reward,
  });
  const siblings = node.parent!.children.filter((child) => child !== node);
  return { ...part(node), rejected: siblings.slice(0, 3).map(part) };
}

function clip(text: string): string {
  return text.length > longestText
    ? `${text.slice(0, longestText)}\n… (cut: ${text.length} characters)`
    : text;
}

/** A part of the tree that fits the screen: breadth first, the chosen path in any case. */
export interface TreeNode extends StepFacts {
  readonly chosen: boolean;
  readonly hidden: number;
  readonly offered: number | null;
  readonly children: TreeNode[];
}

const mostDrawn = 260;
const mostDrawnChildren = 16;
/** A chosen path longer than this is drawn from a step further down. */
const mostOnPath = 500;

export function treeView(tree: RunTree, focus: string | null): TreeNode[] {
  const chosen = new Set(tree.chosenPath());
  const start = focus === null ? undefined : tree.node(focus);
  const tops = start
    ? [start]
    : [...tree.roots.values()].filter((root) => root.children.length > 0).slice(0, 24);
  const drawn = new Map<StepNode, TreeNode & { hidden: number }>();
  const draw = (node: StepNode) => {
    const made = { ...factsOf(node), text: node.text.slice(0, 400), chosen: chosen.has(node), hidden: 0 };
    drawn.set(node, { ...made, offered: node.offered, children: [] });
    return drawn.get(node)!;
  };
  const queue = [...tops];
  for (const top of tops) draw(top);
  let room = mostDrawn - tops.length;
  for (let node = queue.shift(); node; node = queue.shift()) {
    const own = drawn.get(node)!;
    if (drawn.size > mostOnPath) {
      own.hidden = node.children.length;
      continue;
    }
    // What leads to the answer is drawn whatever else has to be left out.
    const ranked = node.children.filter((child) => chosen.has(child));
    const others = node.children.filter((child) => !chosen.has(child));
    const taken = [
      ...ranked,
      ...others.slice(0, Math.max(0, Math.min(mostDrawnChildren - ranked.length, room))),
    ];
    room -= taken.length;
    own.hidden = node.children.length - taken.length;
    for (const child of node.children) {
      if (!taken.includes(child)) continue;
      own.children.push(draw(child));
      queue.push(child);
    }
  }
  return tops.map((top) => drawn.get(top)!);
}

export interface EventRow {
  readonly index: number;
  readonly type: string;
  readonly node: string;
  readonly json: string;
}

export function eventRows(events: readonly TraceEvent[], from: number, count: number): EventRow[] {
  return events.slice(from, from + count).map((event, offset) => {
    const { type, ...rest } = event;
    const json = JSON.stringify(rest);
    return {
      index: from + offset,
      type,
      node: "node" in event ? event.node.slice(0, 80) : "",
      json: json.length > 4000 ? `${json.slice(0, 4000)}…` : json,
    };
  });
}

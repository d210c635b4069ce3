/**
 * Token-level speculation in three nouns: a drafter proposes a tree, an acceptance rule walks it, a controller says how
 * much to draft. Terms: drafted = in the tree; accepted = drafted and kept; recovered = written by the target where a
 * draft was refused; bonus = written by the target after the last accepted draft; rejected = drafted and not kept.
 */
import type { z } from "zod";
import type { DraftRow, DraftTree, Proposal } from "./draft-tree.js";
import type { Candidate, Model, ModelSize, Sampling, TreeRow, Usage } from "./model.js";
import type { Passage, Token } from "./step.js";
import type { TensorSet } from "./tensor.js";

// ---- drafters (src/drafts) ---------------------------------------------------------------------------------------

export interface DraftRequest {
  /** Everything in the target's branch; the last one or more tokens are not passed yet. */
  readonly tokens: readonly Token[];
  /** Most nodes, and greatest depth, of the tree. */
  readonly nodes: number;
  readonly depth: number;
  readonly sampling: Sampling;
  /** Stream of random numbers of the target's branch. Draws use (seed, key, position, "draft", ...). */
  readonly key: string;
  /** Length of the branch when the call that writes began: where the hints begin. */
  readonly start: number;
  /** What the whole step may well be, told by the caller: the draft's own rejected step. In the target's ids. */
  readonly hints: readonly (readonly Token[])[];
  /** True where `shouldStop` wants the draft model's hidden states. */
  readonly hidden?: boolean | undefined;
  /** Asked after each drafted token of a chain or level of a tree: true ends the drafting before the limits. */
  readonly shouldStop?: ((drafted: Drafted) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a controller may know of the token just drafted. */
export interface Drafted {
  readonly depth: number;
  /** The draft model's own probability of it, at temperature 1; 1 for tables. */
  readonly probability: number;
  /** Of the draft model's own law, at temperature 1, in nats; 0 for tables. */
  readonly entropy: number;
  /** The draft model's final-norm state that it was drawn from, where asked for and offered. */
  readonly hidden?: Float32Array | undefined;
}

export interface Draft {
  readonly tree: DraftTree;
  /** What the draft model's passes cost; absent for tables. */
  readonly usage?: Usage;
}

/** What became of a draft: told to drafter and controller after every verified block. */
export interface Verified {
  readonly tree: DraftTree;
  /** The target's rows: after the branch's end, then after each node; with `topK` where the drafter asked for it. */
  readonly rows: readonly TreeRow[];
  /** The kept nodes, from the root on. */
  readonly path: readonly number[];
  /** What was written: the kept drafts, and the target's own token after them unless the step ended before it. */
  readonly written: readonly Token[];
  /** Everything in the target's branch before the block. */
  readonly tokens: readonly Token[];
}

/** A drafter at work beside one branch of the target. Calls are made one at a time. */
export interface DraftSession {
  propose(request: DraftRequest): Promise<Draft>;
  learn?(verified: Verified): void;
  /** For a fork of the target's branch. */
  fork(): DraftSession;
  drop(): void;
}

/** What a drafter is opened with, once for a target model and its run of branches. */
export interface DraftResources {
  readonly target: Model;
  /** The draft model of the pair, where there is one with the same vocabulary. */
  readonly draft?: Model | undefined;
  /** What a drafter that searches texts may search. Whoever gives them reads the files. */
  readonly texts?: readonly string[] | undefined;
}

/** A drafter's shared state (tables that all branches of a model fill), and the sessions on it. */
export interface OpenDrafter {
  /** How many of the target's most probable tokens `learn` wants with each row; 0 is none. */
  readonly topK: number;
  /** The kinds of proposals that its options leave of the drafter's; by default all. */
  readonly proposals?: readonly Proposal["kind"][];
  /** Sizes of the draft's passes for predictions; absent for tables. */
  readonly size?: ModelSize;
  /** A session for a branch that holds these tokens, as rendered from `prompt` where that is known. */
  begin(tokens: readonly Token[], prompt?: Passage): DraftSession;
  close?(): Promise<void>;
}

export interface Drafter<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** One line: where its drafts come from. */
  readonly essence: string;
  readonly source: string;
  readonly shape: "chain" | "tree";
  /** The kinds of proposals that its trees may hold. */
  readonly proposals: readonly Proposal["kind"][];
  /** True where it does not work without the pair's draft model. */
  readonly needsDraft: boolean;
  /** What a block's draft costs, one line. */
  readonly cost: string;
  /** What it is good for, one line. */
  readonly use: string;
  readonly schema: Schema;
  open(resources: DraftResources, options: z.output<Schema>): Promise<OpenDrafter>;
}

export function defineDrafter<Schema extends z.ZodObject>(drafter: Drafter<Schema>): Drafter<Schema> {
  return drafter;
}

// ---- acceptance rules (src/accept) -------------------------------------------------------------------------------

export interface Child {
  readonly node: number;
  readonly token: Token;
  readonly proposal: Proposal;
  readonly row?: DraftRow | undefined;
}

/** One place of the walk: the target's law there and the drafts that hang on it. */
export interface Place {
  readonly row: TreeRow;
  /** The tokens whose probabilities `row` carries, in its order: `DraftTree.asked`. */
  readonly asked: readonly Token[];
  /** In the order they were drawn, as `DraftTree.children` lists them. */
  readonly children: readonly Child[];
  /** The row of the same place in the draft's second copy, for a rule with a `review`; asked for the same tokens. */
  readonly review?: TreeRow | undefined;
  /** Uniform in [0, 1), keyed by this position and the purpose: the same purpose gives the same number. */
  uniform(purpose: string): number;
  readonly sampling: Sampling;
}

/** Go on to a drafted child, or write this token of the target's and end the block. */
export type Decision = { readonly child: number } | { readonly write: Candidate };

export interface AcceptanceRule<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly essence: string;
  readonly source: string;
  /** True: what is written has the target's processed law exactly, for the kinds of proposals below. */
  readonly lossless: boolean;
  readonly proposals: readonly Proposal["kind"][];
  readonly schema: Schema;
  /** A rule for one run; its options, and what it keeps between places (a calibration), live in it. */
  open(options: z.output<Schema>): OpenRule;
}

/**
 * For a rule that shows the target its own draft a second time, in the same pass: behind the draft, a chain, come the
 * prompt's tokens, the last `suffix` tokens of the text so far, and the draft again. Nothing of it is ever kept.
 */
export interface Review {
  readonly prompt: string;
  readonly suffix: number;
}

export interface OpenRule {
  readonly review?: Review | undefined;
  /** How many of the target's most probable tokens it wants with each row; 0 is none. */
  readonly topK: number;
  decide(place: Place): Decision;
}

export function defineRule<Schema extends z.ZodObject>(rule: AcceptanceRule<Schema>): AcceptanceRule<Schema> {
  return rule;
}

// ---- controllers (src/speculation/controllers) -------------------------------------------------------------------

/** Seconds of one pass of the target over so many tokens, and of drafting so many nodes, as a calibration measured them. */
export interface SpeculationCosts {
  target(tokens: number): number;
  draft(nodes: number): number;
}

export interface ControllerView {
  /** Branches that write at this moment, this one included. */
  readonly load: number;
  /** Tokens that the branch holds. */
  readonly length: number;
  /** Tokens that the step may still have. */
  readonly left: number;
  /** Tokens of the branch that a draft model would have to read before it can draft; 0 for tables. */
  readonly unseen: number;
}

/** How the next tokens are to be written. */
export type Plan =
  /** Draft a tree of at most so many nodes, so deep, and verify it. */
  | { readonly nodes: number; readonly depth: number }
  /** Write so many tokens without drafts (at most what the step may have), then ask again. */
  | { readonly plain: number };

/** Wall seconds, load included. */
export interface BlockSeconds {
  readonly draft: number;
  /** Drafts that took it: of this block, or of the next one where it is drafted ahead. */
  readonly drafted: number;
  /** What the draft model took beside that to read text that it had not seen, and how many tokens that was. */
  readonly catchUp: number;
  readonly read: number;
  readonly target: number;
}

export interface OpenController {
  /** True where it reads the drafter's hidden states. */
  readonly hidden?: boolean;
  /** True where the next block's chain is drafted while the target reads this one (PEARL). */
  readonly ahead?: boolean;
  choose(view: ControllerView): Plan;
  /** For one block: asked after each drafted token; what is drafted so far is verified in any case. */
  watch?(): (drafted: Drafted) => boolean;
  learn?(verified: Verified, seconds: BlockSeconds): void;
  /** Tokens written without drafts, and how long that took. */
  learnPlain?(tokens: number, seconds: number): void;
}

/** What a controller is opened with. */
export interface ControllerResources {
  readonly target: Pick<Model, "name" | "fingerprint" | "size">;
  readonly draft?: Pick<Model, "name" | "fingerprint" | "size"> | undefined;
  readonly shape: Drafter["shape"];
  /** Null where this pair was not calibrated on this machine. */
  readonly costs: SpeculationCosts | null;
  /** The tensors of a head's file, and what it says of itself; a controller opens no files itself. */
  readonly loadHead: (
    reference: string,
    names: readonly string[],
  ) => Promise<{ readonly tensors: TensorSet; readonly facts: ReadonlyMap<string, string> }>;
}

export interface Controller<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly essence: string;
  readonly source: string;
  readonly schema: Schema;
  open(options: z.output<Schema>, resources: ControllerResources): Promise<OpenController> | OpenController;
}

export function defineController<Schema extends z.ZodObject>(
  controller: Controller<Schema>,
): Controller<Schema> {
  return controller;
}

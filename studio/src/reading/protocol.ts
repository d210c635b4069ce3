/** What the page and the reader of a run say to each other. The reader is a worker: the page never waits for it. */
import type { EventRow, RunView, TreeNode, Wanted } from "./views.js";

/** Where a run's events come from. */
export type Source =
  /** A run of the server, live or stored. */
  | { readonly kind: "run"; readonly id: string }
  /** A trace file that the server lists. */
  | { readonly kind: "trace"; readonly id: string }
  /** A trace file out of the reader's own hands; it never leaves the browser. */
  | { readonly kind: "file"; readonly file: Blob };

export type Question =
  | { readonly ask: "open"; readonly source: Source }
  | { readonly ask: "want"; readonly wanted: Wanted }
  | { readonly ask: "tree"; readonly focus: string | null }
  | { readonly ask: "events"; readonly from: number; readonly count: number }
  | { readonly ask: "options" }
  | { readonly ask: "what-if"; readonly options: Readonly<Record<string, unknown>> };

export type SourceState =
  /** Still coming; `live` where the run itself is going on. */
  | { readonly kind: "reading" }
  | { readonly kind: "live" }
  /** `status`: what the server calls a run of its own that has come to its end, or was interrupted. */
  | { readonly kind: "done"; readonly status?: string }
  /** The connection is lost; it is being tried again. */
  | { readonly kind: "waiting"; readonly reason: string }
  | { readonly kind: "refused"; readonly message: string; readonly remedy: string };

export interface Supposition {
  readonly options: Readonly<Record<string, unknown>>;
  /** Why the method refused the options. */
  readonly problem: string | null;
  /** True where the recording tells how the run would have ended. */
  readonly known: boolean;
  /** True where nothing changes: the recorded answer comes out. */
  readonly same: boolean;
  /** The decisions, in order: a step and whether it was kept. */
  readonly decisions: readonly Decision[];
  /** The first decision that differs from the recorded run's. */
  readonly changed: Decision | null;
  /** The answer's text as far as the recording tells. */
  readonly text: string;
}

export interface Decision {
  readonly node: string;
  readonly number: number;
  readonly kept: boolean;
  readonly reward: number | null;
  /** What the reward advised for this step; null where the method did not ask. */
  readonly threshold: number | null;
  readonly text: string;
}

export type Answer =
  | {
      readonly tell: "view";
      readonly state: SourceState;
      readonly view: RunView;
      readonly records: number;
      /** Bytes read of bytes in all; null where nobody knows. */
      readonly share: number | null;
    }
  | { readonly tell: "tree"; readonly tops: readonly TreeNode[] }
  | { readonly tell: "events"; readonly rows: readonly EventRow[]; readonly count: number }
  /** JSON Schema of the recorded method's options, and the recorded ones. */
  | {
      readonly tell: "options";
      readonly schema: Readonly<Record<string, unknown>> | null;
      /** Why there is none. */
      readonly problem: string | null;
      readonly options: Readonly<Record<string, unknown>>;
      readonly decisions: readonly Decision[];
    }
  | { readonly tell: "what-if"; readonly supposition: Supposition };

/** The published formats of reward models that answer at a token after each step. */
import type { PresetFacts } from "./kind.js";

/** How question and steps are written down. */
export type Frame =
  /** Plain text: question, space, then each step, the marker and a line break. */
  | { readonly kind: "text"; readonly begin: string }
  /** Chat: system text, the question as user, the marked steps as one assistant turn. A null system text must be given by the user. */
  | { readonly kind: "turn"; readonly system: string | null }
  /** Chat: each step is a user turn, answered with the good label whatever it was worth. */
  | { readonly kind: "dialogue" };

export interface StepTokenFormat {
  readonly frame: Frame;
  /** Written after a step; null where the template itself ends it. */
  readonly marker: { readonly text: string; readonly special: boolean } | null;
  /** Labels whose probabilities are compared, or null where a head reads the hidden state at the marker. */
  readonly labels: { readonly good: string; readonly bad: string } | null;
  readonly facts: PresetFacts;
}

const sign = { good: "+", bad: "-" };

export const stepTokenFormats = {
  "math-shepherd": {
    frame: { kind: "text", begin: "<s>" },
    marker: { text: " ки", special: false },
    labels: sign,
    facts: {
      models: "math-shepherd-mistral-7b-prm",
      template: 'question, then each step with " ки" and a line break; "+" against "-" at the mark',
      delimiter: "line break in training; blank line works",
      licence: "none stated with the weights that we know of: ask its authors",
      threshold: "no published one; calibrate (0.5 is the even point)",
    },
  },
  rlhflow: {
    frame: { kind: "dialogue" },
    marker: null,
    labels: sign,
    facts: {
      models: "Llama3.1-8B-PRM-Mistral-Data and -Deepseek-Data",
      template:
        'chat: question and first step, "+", second step, "+", ...; the sign is read where it is predicted',
      delimiter: "blank line",
      licence: "Llama 3.1 Community License for the weights (check), Apache-2.0 for the code",
      threshold: "no published one; calibrate",
    },
  },
  spare: {
    frame: { kind: "turn", system: null },
    marker: { text: " ки", special: false },
    labels: sign,
    facts: {
      models: "Llama-3-8b-spare-prm-math and its Qwen2.5-3B sibling",
      template:
        'chat: the system text of its model card (?system=...), question, solution with " ки" and a line break after each step; "+" against "-" at the mark',
      delimiter: "line break",
      licence: "Apache-2.0 for the code; the weights inherit Llama 3 or Qwen research terms",
      threshold: "right steps about 0.9, wrong ones about 0.5 to 0.7 on its card: calibrate above 0.7",
    },
  },
  "qwen2.5-math-prm": {
    frame: {
      kind: "turn",
      system: "Please reason step by step, and put your final answer within \\boxed{}.",
    },
    marker: { text: "<extra_0>", special: true },
    labels: null,
    facts: {
      models: "Qwen2.5-Math-PRM-7B, -72B and Qwen2.5-Math-7B-PRM800K",
      template: "chat: system text, question, steps each followed by <extra_0>; a two-class head at the mark",
      delimiter: "blank line",
      licence: "Qwen licence",
      threshold: "no published one for RSD; calibrate",
    },
  },
} as const satisfies Record<string, StepTokenFormat>;

export type StepTokenPreset = keyof typeof stepTokenFormats;

/**
 * A model trained to answer at a mark after each step: with one of two label tokens (Math-Shepherd, RLHFlow,
 * SPARE) or through a two-class head (Qwen2.5-Math-PRM). Nothing is generated.
 */
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import type { ChatMessage, Model } from "../core/model.js";
import type { Step, Token } from "../core/step.js";
import { createHead, headTensorNames } from "./head.js";
import { defineRewardKind, type RewardContext } from "./kind.js";
import { twoSided } from "./law.js";
import { beginTokens, breakMarkers, labelToken, markerToken } from "./markers.js";
import { createModelReward, requireCapability } from "./model-reward.js";
import type { Reader } from "./reader.js";
import { bareStep } from "./step-text.js";
import { type StepTokenFormat, type StepTokenPreset, stepTokenFormats } from "./step-token-formats.js";

const presetNames = Object.keys(stepTokenFormats) as [StepTokenPreset, ...StepTokenPreset[]];

const schema = z.strictObject({
  preset: z.enum(presetNames).default("math-shepherd").describe("the format the model was trained on"),
  head: z
    .string()
    .min(1)
    .optional()
    .describe("file with the two-class head, where the model file holds none"),
  begin: z.string().max(64).optional().describe("token that opens plain text; empty for none"),
  marker: z.string().min(1).max(64).optional().describe("text of the one token after each step"),
  good: z.string().min(1).max(64).optional().describe("label of a right step"),
  bad: z.string().min(1).max(64).optional().describe("label of a wrong step"),
  system: z.string().max(8192).optional().describe("system text of a chat format"),
});

type Options = z.output<typeof schema>;

export default defineRewardKind({
  name: "step-token",
  essence: "the answer a reward model was trained to give at a mark after each step",
  source: "Math-Shepherd (arXiv 2312.08935), RLHFlow, SPARE, Qwen2.5-Math-PRM; card process-reward-models",
  schema,
  presets: Object.fromEntries(presetNames.map((name) => [name, stepTokenFormats[name].facts])),
  async open(name, reference, options, context) {
    const format = configure(stepTokenFormats[options.preset], options);
    const model = await context.openModel(reference);
    requireCapability(model, format.labels ? "candidates" : "hidden", `step-token (${options.preset})`);
    const layout = await createStepLayout(model, format);
    const answer = await createAnswer(model, format, reference, options, context);
    return createModelReward(
      { model, layout, ...answer },
      {
        name,
        essence: `step labels of ${model.name} (${options.preset})`,
        // Such models put nearly all probability on the two labels; a chat model puts next to none there.
        leastMass: format.labels ? 0.05 : 0,
      },
    );
  },
});

/** The preset with the user's own words in it. Throws `invalid-option` for words that it has no place for. */
function configure(preset: StepTokenFormat, options: Options): StepTokenFormat {
  const { frame, marker, labels } = preset;
  const refuse = (key: string, message: string, remedy: string) =>
    new StepwrightError("invalid-option", `option "${key}" of reward step-token ${message}`, {
      subject: key,
      remedy,
    });
  const unused = (key: keyof Options, used: boolean) => {
    if (options[key] !== undefined && !used) {
      throw refuse(key, `has no meaning for ${options.preset}`, "leave it out or choose another preset");
    }
  };
  unused("begin", frame.kind === "text");
  unused("system", frame.kind === "turn");
  unused("marker", marker !== null);
  unused("good", labels !== null);
  unused("bad", labels !== null);
  unused("head", labels === null);
  const system = frame.kind === "turn" ? (options.system ?? frame.system) : null;
  if (frame.kind === "turn" && system === null) {
    throw refuse("system", `is needed for ${options.preset}`, "copy the system text from the model's card");
  }
  return {
    frame:
      frame.kind === "text"
        ? { ...frame, begin: options.begin ?? frame.begin }
        : frame.kind === "turn"
          ? { ...frame, system }
          : frame,
    marker: marker && { ...marker, text: options.marker ?? marker.text },
    labels: labels && { good: options.good ?? labels.good, bad: options.bad ?? labels.bad },
    facts: preset.facts,
  };
}

/** How question and steps become ids, by a format. */
export async function createStepLayout(model: Model, format: StepTokenFormat): Promise<Reader["layout"]> {
  const { frame, marker } = format;
  if (frame.kind === "dialogue") {
    const reply: ChatMessage = { role: "assistant", content: format.labels!.good };
    return async (question, steps) => {
      const turns = steps.map(({ text }, index): ChatMessage => {
        const content = index === 0 ? `${question} ${bareStep(text)}` : bareStep(text);
        return { role: "user", content };
      });
      const messages = turns.flatMap((turn, index) => (index === 0 ? [turn] : [reply, turn]));
      return (await model.renderChat(messages)).tokens;
    };
  }
  const { text: mark, special } = marker!;
  const markId = await markerToken(model, mark, { special });
  const begin = frame.kind === "text" ? await beginTokens(model, frame.begin) : [];
  const clean = (text: string) => breakMarkers(text, mark);

  /** Ids of what follows the opening, up to the last step's mark. */
  const encode = async (before: string, steps: readonly Pick<Step, "text">[]): Promise<Token[]> => {
    const texts = steps.map(({ text }) => clean(bareStep(text)));
    if (special) {
      // A special mark splits the text for the tokenizer, so its neighbours are encoded alone.
      const pieces = await Promise.all(texts.map((text) => (text === "" ? [] : model.tokenize(text))));
      return pieces.flatMap((ids) => [...ids, markId]);
    }
    // Two spaces before a mark that begins with one would make it another token.
    const [first = "", ...others] = texts.map((text) => text.trim());
    const lead = before !== "" && first !== "" ? " " : "";
    return model.tokenize([before + lead + first, ...others].map((text) => text + mark).join("\n"));
  };

  return async (question, steps) => {
    const opening =
      frame.kind === "text"
        ? begin
        : (
            await model.renderChat([
              ...(frame.system ? [{ role: "system" as const, content: frame.system }] : []),
              { role: "user", content: clean(question) },
            ])
          ).tokens;
    const ids = await encode(frame.kind === "text" ? clean(question).trimEnd() : "", steps);
    const marks = ids.filter((id) => id === markId).length;
    if (marks !== steps.length || ids.at(-1) !== markId) {
      throw new StepwrightError(
        "reward-failed",
        `the text of ${steps.length} steps has ${marks} marks of the reward model in it`,
        {
          remedy: "the question or a step contains the reward's own mark in a form that cannot be broken up",
        },
      );
    }
    return [...opening, ...ids];
  };
}

async function createAnswer(
  model: Model,
  format: StepTokenFormat,
  reference: string,
  options: Options,
  context: RewardContext,
): Promise<Pick<Reader, "ask" | "judge">> {
  if (format.labels === null) {
    const source = options.head ?? reference;
    const head = createHead(await context.loadHead(source, headTensorNames), source);
    return {
      ask: { hidden: true },
      judge: async ({ hidden }) => ({ value: await head.apply(hidden!), mass: 1 }),
    };
  }
  const [good, bad] = await Promise.all([
    labelToken(model, format.labels.good),
    labelToken(model, format.labels.bad),
  ]);
  if (good === bad) {
    throw new StepwrightError(
      "reward-invalid",
      `both labels of the reward are token ${good} of ${model.name}`,
      {
        subject: model.name,
      },
    );
  }
  return {
    ask: { tokens: [good, bad] },
    judge: ({ tokens }) => twoSided([tokens![0]!], [tokens![1]!]),
  };
}

import { describe, expect, test } from "vitest";
import { generator } from "../../core/generator.js";
import { bytesSource } from "../../models/gguf/source.js";
import { readHead } from "../../models/head-file.js";
import { readSafetensorsFacts } from "../../models/safetensors.js";
import { calibrated } from "../../rewards/calibration-table.js";
import { createHead, headTensorNames } from "../../rewards/head.js";
import { calibrationTensors, meansTensor, readHeadFacts } from "../../rewards/head-file.js";
import { sigmoid } from "../../rewards/law.js";
import { type FeatureName, featuresOf } from "../../rewards/readings/features.js";
import { encodeHead } from "./encode-head.js";
import type { LabelledAnswer } from "./examples.js";
import { chooseThreshold } from "./thresholds.js";
import { evaluateHead, type HeadTraining, scoreAnswers, trainHead } from "./train-head.js";

const features: FeatureName[] = ["statistic:least", "state:draft:least"];

/** Answers of three steps to two samples a question; `label` tells from a statistic and a state of three numbers. */
function world(
  questions: number,
  label: (statistic: number, state: Float32Array, random: () => number) => number | null,
  name = "world",
): LabelledAnswer[] {
  const random = generator(name);
  const readings = (question: number, index: number) => {
    const state = Float32Array.from([2 * random() - 1, 50 + 4 * random(), question]);
    const logprobs = [-3 * random(), 0];
    return {
      step: { text: "", tokens: [1, 2], logprobs, entropies: [0, 0], stop: "delimiter" as const },
      ...{ index, earlier: [], likelihoods: {}, typicals: {}, judges: {} },
      ...{ states: { draft: { least: state, mean: state, end: state } } },
    };
  };
  return Array.from({ length: 2 * questions }, (_, index) => {
    const own = [0, 1, 2].map((place) => readings(index >> 1, place));
    const labels = own.map(({ step, states }) => label(step.logprobs[0]!, states.draft.least, random));
    return {
      ...{ question: `${name} ${index >> 1}`, sample: index % 2, right: labels.every((one) => one === 1) },
      ...{ readings: own, labels },
    };
  });
}

/** Right by the chance of a logistic law. */
const lawful = (statistic: number, state: Float32Array, random: () => number) =>
  random() < sigmoid(3 * state[0]! + 1.5 * statistic + 2) ? 1 : 0;

const train = (answers: readonly LabelledAnswer[], options: Partial<HeadTraining> = {}) =>
  trainHead({ answers, features, ...options });

describe("a linear head", () => {
  test("finds the law, means what it says, and keeps both on other questions", async () => {
    const head = await train(world(400, lawful));
    const [{ weights }] = head.network;
    expect(Math.abs(weights[0]! - 1.5)).toBeLessThan(0.4);
    expect(Math.abs(weights[1]! - 3)).toBeLessThan(0.4);
    const others = evaluateHead(head, world(400, lawful, "others"));
    expect(others.steps!.calibrationError).toBeLessThan(0.05);
    expect(Math.abs(others.steps!.auroc! - head.figures.steps!.auroc!)).toBeLessThan(0.04);
    expect(others.steps!.auroc).toBeGreaterThan(0.85);
    expect(others.firstError!.threshold).toBe(head.figures.firstError!.threshold);
  });

  test("stays finite where a line parts the labels", async () => {
    const head = await train(world(40, (_, state) => (state[0]! > 0 ? 1 : 0)));
    expect(head.network[0].weights.every(Number.isFinite)).toBe(true);
    expect(head.figures.steps!.auroc).toBeGreaterThan(0.99);
  });

  test("is not led astray by a wide state that says nothing", async () => {
    const noise = generator("noise");
    const answers = world(60, (statistic, _, random) => (random() < sigmoid(3 * statistic + 4) ? 1 : 0)).map(
      (answer) => ({
        ...answer,
        readings: answer.readings.map((one) => {
          const state = Float32Array.from({ length: 200 }, () => noise() - 0.5);
          return { ...one, states: { draft: { least: state, mean: state, end: state } } };
        }),
      }),
    );
    const [numbers, both] = [
      await train(answers, { features: ["statistic:least"] }),
      await train(answers, { features: ["statistic:least", "state:draft:mean"] }),
    ];
    expect(both.chosen).toMatchObject({ ridgeBesideStates: numbers.chosen.ridge });
    expect(both.figures.crossEntropy!).toBeLessThan(numbers.figures.crossEntropy! + 0.01);
  });

  test("learns nothing from what tells only which question it is", async () => {
    // The third number of the state is the question's; every question is right or wrong as a whole.
    const luck = generator("luck");
    const verdicts = Array.from({ length: 150 }, () => (luck() < 0.5 ? 1 : 0));
    const head = await train(
      world(150, (_, state) => verdicts[state[2]!]!),
      { kind: "mlp" },
    );
    expect(Math.abs(head.figures.steps!.auroc! - 0.5)).toBeLessThan(0.12);
  });
});

test("a hidden layer finds what no line can, and `best` takes it", async () => {
  const crossed = (statistic: number, state: Float32Array) => (state[0]! > 0 === statistic > -1.5 ? 1 : 0);
  const answers = world(250, crossed);
  const [linear, best] = [await train(answers), await train(answers, { kind: "best" })];
  expect(linear.figures.steps!.auroc).toBeLessThan(0.6);
  expect(best.kind).toBe("mlp");
  expect(best.figures.steps!.auroc).toBeGreaterThan(0.9);
});

describe("as a file", () => {
  const facts = {
    ...{ draft: "a draft", splitter: "blank-line", record: { seed: 0 } },
    threshold: chooseThreshold({ rule: "best", targetMean: 0.5 }, [{ score: 0.4, label: 1, tokens: 2 }], [3]),
  };

  test.each([
    ["linear", "temperature"],
    ["linear", "isotonic"],
    ["mlp", "isotonic"],
    ["mlp", "none"],
  ] as const)("%s, %s: scores to the bit what it scored in training", async (kind, calibration) => {
    const answers = world(60, lawful);
    const head = await train(answers, { kind, calibration });
    const source = bytesSource(encodeHead(head, facts));
    expect(readHeadFacts(await readSafetensorsFacts(source), "head")).toEqual({ ...facts, features });
    const tensors = await readHead(source, [
      ...headTensorNames,
      ...Object.values(calibrationTensors),
      meansTensor,
    ]);
    expect(tensors.get(meansTensor)!.values).toHaveLength(4);
    const read = createHead(tensors, "head");
    const inputs = tensors.get(calibrationTensors.inputs)?.values;
    const outputs = tensors.get(calibrationTensors.outputs)?.values;
    for (const [index, { readings }] of answers.entries()) {
      const scores = scoreAnswers(head, answers)[index];
      for (const [step, reading] of readings.entries()) {
        const chance = await read.apply(featuresOf(features, reading));
        expect(inputs && outputs ? calibrated({ inputs, outputs }, chance) : chance).toBe(scores![step]);
      }
    }
  });

  test("is the same to the byte for the same seed, and another for another", async () => {
    const bytes = async (seed: number) =>
      encodeHead(await train(world(30, lawful), { kind: "mlp", seed }), facts);
    expect(await bytes(1)).toEqual(await bytes(1));
    expect(await bytes(2)).not.toEqual(await bytes(1));
  });
});

test("steps without a label teach nothing and are scored all the same", async () => {
  const answers = world(60, (statistic, state, random) =>
    random() < 0.3 ? null : lawful(statistic, state, random),
  );
  const head = await train(answers);
  const known = answers.flatMap(({ labels }) => labels).filter((label) => label !== null);
  expect(head.rows).toBe(known.length);
  expect(head.crossValidated.map((own) => own.map((score) => score !== null))).toEqual(
    answers.map(({ labels }) => labels.map((label) => label !== null)),
  );
  expect(scoreAnswers(head, answers).flat().every(Number.isFinite)).toBe(true);
});

test("too few questions, labels of one kind and a fired signal end it", async () => {
  const refused = expect.objectContaining({ code: "invalid-option" });
  await expect(train(world(3, lawful))).rejects.toThrow(refused);
  await expect(train(world(30, () => 1))).rejects.toThrow(refused);
  await expect(train(world(30, () => null))).rejects.toThrow(refused);
  const onlyFirst = world(30, (_, state) => (state[2] === 0 ? 1 : 0));
  await expect(train(onlyFirst)).rejects.toThrow("1 questions have right steps");
  await expect(train(world(30, lawful), { signal: AbortSignal.abort() })).rejects.toThrow(/abort/);
});

test("progress rises to one", async () => {
  const shares: number[] = [];
  await train(world(30, lawful), { kind: "best", onProgress: (share) => shares.push(share) });
  expect(shares.toSorted((one, other) => one - other)).toEqual(shares);
  expect(shares.at(-1)).toBe(1);
});

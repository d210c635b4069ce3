import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyedUniform } from "../../core/random.js";
import { bytesSource } from "../../models/gguf/source.js";
import { readHead } from "../../models/head-file.js";
import { readSafetensorsFacts } from "../../models/safetensors.js";
import { readHeadFacts } from "../../rewards/head-file.js";
import {
  type RewardWorldOptions,
  rewardQuestions,
  rewardTraining,
  worker,
} from "../../testing/reward-world.js";
import { type TrainedReward, trainReward } from "./pipeline.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-reward-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const newFolder = () => mkdtemp(join(root, "work-"));

async function train(options: RewardWorldOptions & { folder?: string } = {}): Promise<TrainedReward> {
  return trainReward(await rewardTraining(options.folder ?? (await newFolder()), options));
}

/** Every stage is in it. */
const wide = {
  labels: ["monte-carlo", "spare"],
  features: ["statistics", "both", "likelihood"],
  questions: 24,
};

describe("a training with every source of labels", () => {
  let result: TrainedReward;
  beforeAll(async () => {
    result = await train({
      labels: ["check", "outcome", "monte-carlo?rollouts=2", "omega?rollouts=2", "spare"],
      features: ["statistics", "states", "likelihood"],
    });
  });

  test("judges every head and every free score on the questions held out", () => {
    expect(result.truth).toBe("check");
    expect(result.heads.map(({ labels, name }) => `${labels} ${name}`)).toHaveLength(15);
    expect(result.baselines.map(({ name }) => name)).toEqual([
      "confidence",
      "likelihood:target",
      "confidence?feature=mean",
      "likelihood:target?feature=mean",
    ]);
    for (const { figures, roc } of [...result.heads, ...result.baselines]) {
      expect(figures.steps!.count).toBe(result.steps.heldOut);
      expect([roc[0], roc.at(-1)]).toEqual([
        [0, 0],
        [1, 1],
      ]);
    }
    expect(result.questions).toEqual({ training: 30, heldOut: 10, repeated: 0 });
    expect(result.answers.training).toBe(90);
    expect(result.steps.training).toBe(90 * 4);
  });

  test("learns what tells right steps from wrong ones", () => {
    const confidence = result.baselines[0]!.figures.steps!.auroc!;
    expect(result.chosen.labels).toBe("check");
    expect(result.chosen.figures.steps!.auroc).toBeGreaterThanOrEqual(confidence);
    expect(result.chosen.figures.steps!.auroc).toBeGreaterThan(0.9);
    expect(result.chosen.figures.steps!.calibrationError).toBeLessThan(0.15);
    // The oracle annotator's labels are the checker's.
    const twins = ["check", "spare"].map((labels) => result.heads.find((head) => head.labels === labels)!);
    expect(twins[1]!.figures).toEqual(twins[0]!.figures);
  });

  test("says what labels cost", () => {
    const calls = Object.fromEntries(result.labelCosts.map(({ source, calls }) => [source, calls]));
    expect(calls).toMatchObject({ check: 0, outcome: 0, spare: 90, "monte-carlo": 90 * 3 * 2 });
    expect(calls.omega).toBeGreaterThan(0);
    expect(calls.omega).toBeLessThan(calls["monte-carlo"]!);
  });

  test("gives a file that says what it is", async () => {
    const source = bytesSource(result.bytes);
    const facts = readHeadFacts(await readSafetensorsFacts(source), "head");
    expect(facts.draft).toBe(worker("draft", 0).fingerprint);
    expect(facts.splitter).toBe("blank-line");
    expect(facts.record.task).toBe("world.jsonl");
    expect((await readHead(source, ["score.weight", "score.0.weight"])).size).toBe(1);
  });

  test("a threshold keeps to its share, and never asks for more than the target's own steps", () => {
    const by = Object.fromEntries(result.thresholds.map((one) => [one.rule, one]));
    expect(result.facts.threshold!.value).toBe(by.budget!.value);
    expect(by.budget!.value).toBeLessThanOrEqual(by["target-mean"]!.value);
    expect(by["target-mean"]!.value).toBeCloseTo(
      result.target!.labels.reduce((sum, label) => sum + label, 0) / result.target!.labels.length,
    );
  });
});

test("the file depends on nothing but the training: not on its neighbours, nor on the order of its records", async () => {
  const one = await train({ ...wide, concurrency: 1 });
  const other = await train({ ...wide, concurrency: 7 });
  expect(Buffer.from(other.bytes).equals(one.bytes)).toBe(true);
  expect((await train({ ...wide, seed: 1 })).bytes).not.toEqual(one.bytes);
});

describe("a training that was cut", () => {
  let whole: { folder: string; bytes: Uint8Array; files: string[] };
  beforeAll(async () => {
    const folder = await newFolder();
    const { bytes } = await train({ ...wide, folder });
    whole = { folder, bytes, files: (await readdir(folder)).filter((name) => name.endsWith(".jsonl")) };
  });

  test("at any byte of any file ends in the same head", async () => {
    expect(whole.files.sort()).toEqual([
      "answers.jsonl",
      "labels-check.jsonl",
      "labels-monte-carlo.jsonl",
      "labels-spare.jsonl",
      "readings.jsonl",
      "target-answers.jsonl",
      "target-labels-outcome.jsonl",
    ]);
    for (const [index, name] of whole.files.entries()) {
      const folder = await newFolder();
      await cp(whole.folder, folder, { recursive: true });
      const { size } = await stat(join(folder, name));
      await truncate(join(folder, name), Math.floor(size * keyedUniform(1, name, index, "cut")));
      const { bytes } = await train({ ...wide, folder });
      expect(Buffer.from(bytes).equals(whole.bytes), name).toBe(true);
    }
  });

  test("by its signal, in every stage, keeps what is finished", async () => {
    const stages = new Set<string>();
    await train({ ...wide, onProgress: ({ stage }) => stages.add(stage) });
    const folder = await newFolder();
    for (const stage of stages) {
      const controller = new AbortController();
      const cut = train({
        ...wide,
        folder,
        signal: controller.signal,
        onProgress: (progress) => {
          if (progress.stage === stage && progress.done >= progress.of / 2) controller.abort();
        },
      });
      await expect(cut, stage).rejects.toBeDefined();
    }
    const { bytes } = await train({ ...wide, folder });
    expect(Buffer.from(bytes).equals(whole.bytes)).toBe(true);
  });

  test("does nothing twice", async () => {
    const folder = await newFolder();
    await cp(whole.folder, folder, { recursive: true });
    const draft = worker("draft", 0, {
      delay: () => {
        throw new Error("a model was asked");
      },
    });
    const { bytes } = await train({ ...wide, folder, draft });
    expect(Buffer.from(bytes).equals(whole.bytes)).toBe(true);
  });

  test("goes on with answers that another program wrote, without a plan", async () => {
    const folder = await newFolder();
    await cp(whole.folder, folder, { recursive: true });
    await unlink(join(folder, "plan.json"));
    const { bytes } = await train({ ...wide, folder });
    expect(Buffer.from(bytes).equals(whole.bytes)).toBe(true);
  });

  test("takes more questions, and refuses other settings and changed questions", async () => {
    const folder = await newFolder();
    await cp(whole.folder, folder, { recursive: true });
    const more = await train({ ...wide, folder, questions: 16 });
    expect(more.questions.training + more.questions.heldOut).toBe(16);
    const refused = async (options: RewardWorldOptions, message: string) =>
      expect(train({ ...wide, folder, ...options })).rejects.toMatchObject({
        code: "invalid-option",
        message: expect.stringContaining(message),
      });
    await refused({ temperature: 0.5 }, "temperature 1, here it is 0.5");
    await refused({ draft: worker("another", 0) }, "draft");
    await refused({ target: worker("another", 0) }, "target");
    const questions = rewardQuestions(12).map((question) => ({ ...question, reference: "0" }));
    const { task } = await rewardTraining(folder);
    await refused({ task: { ...task, questions } }, "question q0");
  });
});

describe("what cannot be trained on is refused before work", () => {
  const silent = (name: string) =>
    worker(name, 0, {
      delay: () => {
        throw new Error("a model was asked");
      },
    });

  test("too few questions", async () => {
    await expect(train({ questions: 7, draft: silent("draft") })).rejects.toMatchObject({
      code: "task-invalid",
      message: "7 questions are too few to train on",
    });
  });

  test("a rule without its target", async () => {
    const options = { target: undefined, threshold: { rule: "best", share: 0 } as const };
    await expect(train({ ...options, draft: silent("draft") })).rejects.toMatchObject({
      code: "missing-role",
    });
  });

  test("a judge that has no word for yes", async () => {
    const mute = train({ features: ["judge-draft"], draft: silent("draft") });
    await expect(mute).rejects.toMatchObject({ code: "reward-invalid" });
  });

  test("answers that are all right or all wrong, as soon as they are written", async () => {
    const { task } = await rewardTraining("");
    for (const [correct, word] of [
      [true, "right"],
      [false, "wrong"],
    ] as const) {
      const work = train({
        task: { ...task, grade: async () => ({ correct }) },
        target: silent("target"),
      });
      await expect(work).rejects.toMatchObject({
        code: "task-invalid",
        message: `all 90 training answers are ${word}`,
      });
    }
  });

  test("answers of a model with other tokens", async () => {
    const folder = await newFolder();
    await train({ folder, questions: 10 });
    const text = await readFile(join(folder, "answers.jsonl"), "utf8");
    const other = await newFolder();
    await writeFile(join(other, "answers.jsonl"), text);
    const stranger = worker("stranger", 0);
    Object.assign(stranger, { vocabulary: "another" });
    await expect(train({ folder: other, questions: 10, draft: stranger })).rejects.toMatchObject({
      code: "checkpoint-invalid",
      message: expect.stringContaining("stranger"),
    });
  });

  test("questions without a worked solution get no labels of an annotator, and stop nothing", async () => {
    const { task } = await rewardTraining("");
    const questions = rewardQuestions(16).map((question, index) => {
      const { steps: _, ...unsolved } = question;
      return index % 2 === 0 ? question : unsolved;
    });
    const { labelCosts, target, heads } = await train({
      task: { ...task, questions, checkStep: undefined },
      labels: ["spare"],
    });
    const spare = labelCosts[0]!;
    expect(spare.answers).toBeGreaterThan(0);
    expect(spare.answers).toBeLessThan(36);
    expect(target!.labels.length).toBeGreaterThan(0);
    expect(target!.labels.length).toBeLessThan(target!.answers * 4);
    expect(heads.map(({ labels }) => labels)).toEqual(["spare", "numbers"]);
  });

  test("a limit for costly labels", async () => {
    const { labelCosts } = await train({ questions: 12, labels: ["monte-carlo?rollouts=2"], labelLimit: 10 });
    const by = Object.fromEntries(labelCosts.map(({ source, answers }) => [source, answers]));
    expect(by).toEqual({ "monte-carlo": 10, check: 30 });
  });

  test("without a target there is a threshold by a share alone", async () => {
    const { thresholds, target, facts } = await train({ target: undefined });
    expect(thresholds.map(({ rule }) => rule)).toEqual(["budget"]);
    expect([target, facts.target]).toEqual([null, undefined]);
  });
});

/** Every command in one line; its file is loaded when it is asked for. */
import type { z } from "zod";
import type { Command } from "./command.js";

interface Entry {
  readonly summary: string;
  /** It runs until it is stopped: that is no failure. */
  readonly isService?: true;
  load(): Promise<Command>;
}

/** Erases the schema's type: a command is only ever run with values that its own schema has parsed. */
const load =
  <Schema extends z.ZodObject>(file: () => Promise<{ default: Command<Schema> }>) =>
  async () =>
    (await file()).default as unknown as Command;

export const commandTable: Readonly<Record<string, Entry>> = {
  solve: { summary: "answer one question with a method", load: load(() => import("./commands/solve.js")) },
  serve: {
    summary: "answer over HTTP, as OpenAI's API does",
    isService: true,
    load: load(() => import("./commands/serve.js")),
  },
  lab: {
    summary: "see a method at work on the small models that come along",
    load: load(() => import("./commands/lab.js")),
  },
  demo: {
    summary: "see a method at work on scripted models, without weights",
    load: load(() => import("./commands/demo.js")),
  },
  bench: {
    summary: "measure methods side by side on the questions of a task",
    load: load(() => import("./commands/bench.js")),
  },
  studio: {
    summary: "see runs, live and recorded, in a browser",
    isService: true,
    load: load(() => import("./commands/studio.js")),
  },
  "analyze pass": {
    summary: "what more samples bring: average, majority, pass@k",
    load: load(() => import("./commands/analyze-pass.js")),
  },
  "analyze saturation": {
    summary: "from how many samples on one more is not worth it",
    load: load(() => import("./commands/analyze-saturation.js")),
  },
  "analyze ceiling": {
    summary: "what an imperfect reward can reach by resampling",
    load: load(() => import("./commands/analyze-ceiling.js")),
  },
  "analyze scaling": {
    summary: "fit a log-linear law over rows, and doubt it",
    load: load(() => import("./commands/analyze-scaling.js")),
  },
  calibrate: {
    summary: "measure what models cost on this machine",
    load: load(() => import("./commands/calibrate.js")),
  },
  plan: {
    summary: "foretell what methods will cost here, and whether they pay",
    load: load(() => import("./commands/plan.js")),
  },
  "tasks list": {
    summary: "list the tasks, their sources and licences",
    load: load(() => import("./commands/tasks-list.js")),
  },
  "tasks pull": {
    summary: "download a task's questions",
    load: load(() => import("./commands/tasks-pull.js")),
  },
  speculation: {
    summary: "list what drafts tokens, what tests drafts, and what says how much is drafted",
    load: load(() => import("./commands/speculation.js")),
  },
  methods: {
    summary: "list the methods and their options",
    load: load(() => import("./commands/methods.js")),
  },
  "models list": {
    summary: "list the model files on this machine",
    load: load(() => import("./commands/models-list.js")),
  },
  "models pull": {
    summary: "download a model file",
    load: load(() => import("./commands/models-pull.js")),
  },
  "models info": {
    summary: "say what a model file holds and needs",
    load: load(() => import("./commands/models-info.js")),
  },
  "trace show": {
    summary: "read a run's trace, rejected steps included",
    load: load(() => import("./commands/trace-show.js")),
  },
  "trace replay": {
    summary: "run a trace again without models and compare",
    load: load(() => import("./commands/trace-replay.js")),
  },
  grade: {
    summary: "say which answers are right",
    load: load(() => import("./commands/grade.js")),
  },
  "train stop-head": {
    summary: "train what says how long a draft model drafts",
    load: load(() => import("./commands/train-stop-head.js")),
  },
  "train reward": {
    summary: "train a reward for a draft on your own questions",
    load: load(() => import("./commands/train-reward.js")),
  },
  "reward explain": {
    summary: "see what a reward says of an answer, step by step",
    load: load(() => import("./commands/reward-explain.js")),
  },
  "train lab": {
    summary: "train the lab's small models from nothing",
    load: load(() => import("./commands/train-lab.js")),
  },
  doctor: {
    summary: "check that this machine can run models",
    load: load(() => import("./commands/doctor.js")),
  },
  version: { summary: "print the version", load: load(() => import("./commands/version.js")) },
};

/** The real server over real sockets, on scripted models that say back what they were asked. */
import { ScriptedModel, type ScriptedModelOptions } from "../../src/models/scripted.js";
import type { StepChoice } from "../../src/models/scripted-law.js";
import { ScriptedReward, type ScriptedRewardOptions } from "../../src/models/scripted-reward.js";
import {
  type Preset,
  type RunningServer,
  type ServerOptions,
  serveModels,
  startServer,
} from "../../src/server/index.js";

export interface ScriptedServerOptions extends Partial<Omit<ServerOptions, "models">> {
  readonly draft?: Partial<ScriptedModelOptions>;
  readonly target?: Partial<ScriptedModelOptions>;
  readonly reward?: Partial<ScriptedRewardOptions>;
  readonly presets?: readonly Preset[];
}

export interface ScriptedServer extends RunningServer {
  readonly draft: ScriptedModel;
  readonly target: ScriptedModel;
  readonly reward: ScriptedReward;
  /** Branches and scorers that are open now. */
  live(): number;
  /** Calls that reached a model or the reward. */
  calls(): number;
  /** Everything that the server told its operator. */
  readonly notices: string[];
  fetch(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

export const pieces = ["first", " says", " draft", " target", " step", "The answer", " is", "\n\n"];

/** Two steps and an answer that says the question back; the draft's second step is weak. */
export function storyOf(writer: "draft" | "target") {
  return (question: string, steps: readonly string[]): StepChoice[] => {
    const said = question.slice(0, 200);
    if (steps.length === 0) return [{ text: `first says ${writer}: ${said}\n\n`, probability: 1 }];
    if (steps.length === 1) return [{ text: `step 2 of ${writer}\n\n`, probability: 1 }];
    return [{ text: `The answer is ${said}`, probability: 1, end: true }];
  };
}

export async function scriptedServer(options: ScriptedServerOptions = {}): Promise<ScriptedServer> {
  const { presets = [], ...rest } = options;
  const draft = new ScriptedModel({
    name: "scripted-draft",
    law: { steps: storyOf("draft") },
    pieces,
    ...options.draft,
  });
  const target = new ScriptedModel({
    name: "scripted-target",
    law: { steps: storyOf("target") },
    pieces,
    size: { multiplied: 10_000 },
    ...options.target,
  });
  const reward = new ScriptedReward({
    name: "scripted-reward",
    score: (_, steps) => (steps.at(-1)!.includes("step 2 of draft") ? 0.1 : 0.9),
    ...options.reward,
  });
  const models = await serveModels({
    pairs: [
      {
        name: "default",
        roles: ["draft", "target", "reward"],
        references: {},
        open: async () => ({ draft, target, reward }),
      },
    ],
    presets,
    defaults: new Map([["default", "rsd/default"]]),
  });
  const notices: string[] = [];
  const server = await startServer({
    folder: null,
    onNotice: (notice) => notices.push(notice),
    ...rest,
    port: 0,
    models,
  });
  await models.opened;
  const reach = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
  return Object.assign(server, {
    draft,
    target,
    reward,
    notices,
    live: () => draft.liveBranches + target.liveBranches + reward.liveScorers,
    calls: () => draft.stage.calls + target.stage.calls + reward.stage.calls,
    fetch: reach,
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      reach(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
  });
}

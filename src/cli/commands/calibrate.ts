import { z } from "zod";
import { measurePasses } from "../../bench/calibrate-model.js";
import { type ModelCalibration, ratesOf, saveCalibration } from "../../bench/calibration.js";
import { percent } from "../../bench/figures-text.js";
import { memoryBandwidth } from "../../bench/memory-bandwidth.js";
import { checkModelFile } from "../../models/gguf/check.js";
import { resolveModelFile } from "../../models/hub-inventory.js";
import { hubSettings } from "../../models/hub-settings.js";
import { openLlama } from "../../models/llama/index.js";
import { printTable } from "../analysis.js";
import { type CommandContext, defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { metric } from "../numbers.js";
import { requiredOperand } from "../operands.js";
import { lastingModel } from "../references.js";
import { calibrationFolder } from "../state-folder.js";

export default defineCommand({
  operands: "MODEL...",
  operandLimit: 16,
  description:
    "Measures this machine once per model file: how fast memory is read, how long the model takes to load, to write and to read a token, and what a pass over 1 to 64 tokens costs. plan foretells from it, and bench says how near it came to the machine's limits. Nothing else should run meanwhile.",
  examples: [
    "stepwright calibrate small.gguf large.gguf",
    "stepwright calibrate hf:owner/repository:Q4_K_M --json",
  ],
  schema: z.object({
    threads: z.int().min(1).max(256).default(1).describe("Compute threads, as the runs will have them."),
    rounds: z.int().min(1).max(100).default(5).describe("Measurements of each figure; their median counts."),
    json: jsonField,
  }),
  async run(context, { threads, rounds, json }, operands) {
    requiredOperand(operands, "MODEL", "one or more model files");
    const bandwidth = memoryBandwidth();
    const models: ModelCalibration[] = [];
    for (const reference of operands) models.push(await measure(context, reference, threads, rounds));
    const path = await saveCalibration(calibrationFolder(context.host), bandwidth, models);
    if (json) context.printJson({ path, bandwidth, models });
    else {
      const widths = models[0]!.curve.slice(1).map(({ tokens }) => `v(${tokens})`);
      printTable(
        context,
        ["model", "loads in", "writes", "reads", "FLOP/s", "of bandwidth", ...widths],
        models.map((model) => cells(model, bandwidth)),
      );
      context.print(
        `Memory is read at ${metric(bandwidth)}B/s. v(k): a pass over k tokens against a pass over one; below k it pays to verify k at once.`,
      );
      context.say(context.talkStyle.dim(`calibration: ${path}`));
    }
    return 0;
  },
});

async function measure(
  { host, signal, say }: CommandContext,
  reference: string,
  threads: number,
  rounds: number,
): Promise<ModelCalibration> {
  const hub = hubSettings(host.environment);
  const path = await resolveModelFile(await lastingModel(reference, host.workingFolder, hub), hub);
  const { bytesPerContextToken } = await checkModelFile(path);
  if (host.talk.isTerminal) say(`measuring ${reference} …`);
  const started = performance.now();
  await using model = await openLlama(path, { threads, context: 1024, keptPrompts: 0, signal });
  const loadSeconds = (performance.now() - started) / 1000;
  return {
    name: model.name,
    fingerprint: model.fingerprint,
    threads,
    size: model.size,
    cacheBytesPerToken: bytesPerContextToken,
    loadSeconds,
    ...(await measurePasses(model, { rounds, signal })),
    measured: new Date().toISOString(),
  };
}

function cells(model: ModelCalibration, bandwidth: number): string[] {
  const { name, loadSeconds, writeSeconds, readSeconds, curve, size } = model;
  const [first, ...wider] = curve;
  return [
    name,
    `${loadSeconds.toPrecision(2)} s`,
    `${(writeSeconds * 1000).toPrecision(3)} ms/token`,
    `${(readSeconds * 1000).toPrecision(3)} ms/token`,
    metric(ratesOf(model).flopsPerSecond),
    percent(size.bytes / writeSeconds / bandwidth),
    ...wider.map(({ seconds }) => (seconds / first!.seconds).toFixed(1)),
  ];
}

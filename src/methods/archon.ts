import { z } from "zod";
import { defineMethod } from "../core/method.js";
import { parseArchitecture } from "./archon/architecture.js";
import { Archon } from "./archon/executor.js";

const schema = z.object({
  architecture: z
    .string()
    .min(1)
    .max(1000)
    .default("generate*5>rank*1")
    .describe(
      "layers of generate, fuse, critique, rank, verify, test; *N texts or answers kept, target. or draft. before",
    ),
  sampleTemperature: z.number().min(0).max(2).default(0.7).describe("of all components; overrides the run's"),
  replyTokens: z
    .int()
    .min(1)
    .max(8192)
    .default(512)
    .describe("most tokens of a critique, ranking or verdict"),
  attempts: z
    .int()
    .min(1)
    .max(10)
    .default(3)
    .describe("at a critique of every answer; then it is done without"),
});

export default defineMethod({
  name: "archon",
  essence:
    "layers of model calls that generate, fuse, criticise, rank, verify and test answers, as described",
  kind: "search",
  source: "Saad-Falcon et al., Archon, arXiv 2409.15254",
  needs: { draft: ["text"], target: ["text"] },
  cost: "the calls of its architecture: see docs/which-method.md",
  use: "instruction-following models strong enough to judge and merge answers; no reward needed",
  schema,
  async run(search, options) {
    const layers = parseArchitecture(options.architecture);
    const archon = new Archon(search, options);
    for (const [depth, layer] of layers.entries()) await archon.pass(layer, depth);
    return search.finish(archon.answers[0]!.node);
  },
});

import { z } from "zod";
import { StepwrightError } from "../../core/errors.js";
import { type ControllerResources, defineController } from "../../core/speculation.js";
import { createStopHead, stopHeadKind, stopHeadTensors } from "../stop-head/features.js";

export default defineController({
  name: "stop-head",
  essence: "drafts on until a head trained on this pair expects that something drafted will be refused",
  source: "SpecDec++, Huang et al., arXiv 2405.19715; card specdec-plus-plus",
  schema: z.object({
    head: z.string().optional().describe("file of the head: stepwright train stop-head").meta({ file: true }),
    threshold: z
      .number()
      .default(0.5)
      .describe("expected chance of a refusal that ends the draft; above 1 never, below 0 at once"),
    least: z.int().min(1).max(64).default(1).describe("drafts of every block"),
    depth: z.int().min(1).max(64).default(15).describe("most drafts in a row"),
  }),
  async open({ head: source, threshold, least, depth }, resources) {
    if (source === undefined) {
      throw new StepwrightError("invalid-option", "controller stop-head needs a head", {
        subject: "head",
        remedy: "train one and name it: stop-head?head=FILE",
      });
    }
    const { tensors, facts } = await resources.loadHead(source, stopHeadTensors);
    checkPair(source, facts, resources);
    const head = createStopHead(tensors, source);
    return {
      hidden: true,
      choose: () => ({ nodes: depth, depth }),
      watch() {
        let allAccepted = 1;
        return (drafted) => {
          allAccepted *= head.accepts(drafted);
          return drafted.depth >= least && 1 - allAccepted > threshold;
        };
      },
    };
  },
});

/** A head knows one draft, quantised as it was, and one target. */
function checkPair(
  source: string,
  facts: ReadonlyMap<string, string>,
  { draft, target }: ControllerResources,
): void {
  const isPair =
    facts.get("kind") === stopHeadKind &&
    facts.get("draft") === draft?.fingerprint &&
    facts.get("target") === target.fingerprint;
  if (isPair) return;
  throw new StepwrightError("model-invalid", `${source} is no stop head of this pair`, {
    subject: source,
    remedy: "train one for these very files: stepwright train stop-head",
  });
}

/** A controller that drafts a fixed length and keeps, of every draft that was tested, what a stop head learns from. */
import { z } from "zod";
import { type Controller, defineController } from "../../core/speculation.js";
import { stopFeatures } from "./features.js";

export interface StopExample {
  readonly features: Float32Array;
  /** Whether the draft was accepted, the ones before it being so. */
  readonly right: boolean;
}

/** For one branch at a time: what a block drafted is matched with what became of it in the order of the calls. */
export function recordingController(depth: number, examples: StopExample[]): Controller {
  return defineController({
    name: "recording",
    essence: `drafts ${depth} tokens and keeps what becomes of them`,
    source: "card specdec-plus-plus, training data",
    schema: z.object({}),
    open() {
      let drafted: Float32Array[] = [];
      return {
        hidden: true,
        choose: () => ({ nodes: depth, depth }),
        watch() {
          drafted = [];
          return (draft) => {
            drafted.push(stopFeatures(draft));
            return false;
          };
        },
        learn({ path, written, tree }) {
          if (tree.size === 0) return;
          for (const [index, features] of drafted.entries()) {
            if (index < path.length) examples.push({ features, right: true });
            // Refused, unless the step ended before it was tested.
            else if (index === path.length && written.length > path.length) {
              examples.push({ features, right: false });
            }
          }
        },
      };
    },
  });
}

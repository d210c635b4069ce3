import { z } from "zod";
import { defineController } from "../../core/speculation.js";
import { shapeOf, shapeOptions } from "./shape-options.js";

export default defineController({
  name: "fixed",
  essence: "the same size of draft for every block",
  source: "Leviathan et al., arXiv 2211.17192; card speculative-sampling",
  schema: z.object(shapeOptions),
  open(options) {
    const plan = shapeOf(options);
    return { choose: () => plan };
  },
});

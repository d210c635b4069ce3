import { z } from "zod";
import { defineRule } from "../core/speculation.js";
import { pipeline } from "./shared/pipeline.js";
import { testAgreement } from "./shared/test-agreement.js";

export default defineRule({
  name: "agreement",
  essence: "write exactly what plain decoding writes, and go on where a draft is that token",
  source: "card speculative-sampling, C",
  lossless: true,
  proposals: ["point", "independent", "without-replacement"],
  schema: z.object({}),
  open: () => pipeline({ test: testAgreement }),
});

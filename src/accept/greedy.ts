import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import { defineRule } from "../core/speculation.js";
import { pipeline } from "./shared/pipeline.js";
import { testAgreement } from "./shared/test-agreement.js";

export default defineRule({
  name: "greedy",
  essence: "go on where a draft is the target's most probable token; for temperature 0 alone",
  source: "card speculative-sampling, B",
  lossless: true,
  proposals: ["point", "independent", "without-replacement"],
  schema: z.object({}),
  open: () =>
    pipeline({
      test(place) {
        const { temperature } = place.sampling;
        if (temperature === 0) return testAgreement(place);
        throw new StepwrightError(
          "invalid-option",
          `the acceptance rule greedy is for temperature 0, not ${temperature}`,
          { subject: "rule", remedy: "use agreement or recursive" },
        );
      },
    }),
});

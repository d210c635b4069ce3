import { z } from "zod";
import { fitSaturation, mostSamples } from "../../bench/analysis/saturation.js";
import { percent } from "../../bench/figures-text.js";
import { benchOperand, printTable, repeatedLabels } from "../analysis.js";
import { defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { count } from "../numbers.js";

/** Numbers of samples at which the fitted curve is shown. */
const shown = [1, 4, 16, 64];

export default defineCommand({
  operands: "DIR",
  operandLimit: 1,
  description:
    "From how many samples on one more is worth less than --epsilon (TTSPM): a curve is fitted to how often each question's samples were right, once with one chance for all solvable questions, once with chances that differ by a Beta law. The one first foretells questions left out of the fit better. The curve is that of a perfect chooser; a vote reaches less.",
  examples: [
    "stepwright analyze saturation runs/pair",
    "stepwright analyze saturation runs/pair --epsilon 0.002 --json",
  ],
  schema: z.object({
    epsilon: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.01)
      .describe("The least gain in accuracy for which one more sample is drawn."),
    json: jsonField,
  }),
  async run(context, { json, epsilon }, operands) {
    const folder = await benchOperand(context, operands);
    const found = repeatedLabels(folder, 2).map(({ label, questions }) => ({
      label,
      questions: questions.length,
      fits: fitSaturation(
        questions.map((own) => ({ samples: own.length, right: own.filter(({ correct }) => correct).length })),
        epsilon,
      ).map(({ model, ...fit }) => ({
        model: model.kind,
        parameters: model.parameters,
        ...fit,
        solved: Object.fromEntries(shown.map((samples) => [samples, model.solved(samples)])),
      })),
    }));
    if (json) context.printJson({ epsilon, methods: found });
    else {
      printTable(
        context,
        ["method", "model", "saturates at", "95 %", ...shown.map((samples) => `at ${samples}`), "held out"],
        found.flatMap(({ label, fits }) =>
          fits.map((fit) => [
            label,
            fit.model === "single" ? "one chance" : "Beta law",
            samplesText(fit.saturation),
            fit.saturationCi95.map(samplesText).join(" to "),
            ...Object.values(fit.solved).map(percent),
            fit.heldOut.toFixed(3),
          ]),
        ),
      );
    }
    return 0;
  },
});

function samplesText(samples: number): string {
  return samples >= mostSamples ? `over ${count(mostSamples)}` : count(samples);
}

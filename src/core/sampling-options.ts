/** How the methods that choose among samples draw them: options and the temperature of each sample. */
import { z } from "zod";
import type { StepRequest } from "./search.js";

export const samplingOptions = {
  sampleTemperature: z.number().min(0).max(10).default(0.7).describe("temperature of the samples"),
  sampleTopP: z
    .number()
    .gt(0)
    .max(1)
    .default(0.9)
    .describe("samples are drawn from the smallest set of tokens of this probability"),
  temperatureSpread: z
    .number()
    .min(0)
    .max(10)
    .default(0)
    .describe("the samples' temperatures lie evenly between this far below and this far above"),
  endTemperature: z.number().min(0).max(10).default(0.7).describe("temperature after coolingSteps steps"),
  coolingSteps: z
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .describe("steps over which temperature moves to endTemperature; 0 is off"),
};

export type SamplingOptions = z.output<z.ZodObject<typeof samplingOptions>>;

/** The sampling of sample `index` of `count` at a depth. */
export function samplingOf(
  options: SamplingOptions,
  { index, count, depth }: { readonly index: number; readonly count: number; readonly depth: number },
): NonNullable<StepRequest["sampling"]> {
  const { sampleTemperature, sampleTopP: topP, temperatureSpread, endTemperature, coolingSteps } = options;
  const cooled = coolingSteps === 0 ? 0 : Math.min(1, depth / coolingSteps);
  const centre = sampleTemperature + cooled * (endTemperature - sampleTemperature);
  const offset = count === 1 ? 0 : temperatureSpread * ((2 * index) / (count - 1) - 1);
  return { temperature: Math.max(0, centre + offset), topP };
}

/** Real weights for tests: `STEPWRIGHT_TEST_MODELS`, a folder that `.ci/run` fills where it can. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Empty where no folder is named. */
export const weightsFolder = process.env.STEPWRIGHT_TEST_MODELS ?? "";

export const draftFile = join(weightsFolder, "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf");
export const targetFile = join(weightsFolder, "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf");

export const haveWeights = weightsFolder !== "" && existsSync(draftFile) && existsSync(targetFile);

if (!haveWeights) {
  console.warn(
    "SKIPPED: tests on real weights; set STEPWRIGHT_TEST_MODELS to a folder with the Qwen2.5-Coder pair",
  );
}

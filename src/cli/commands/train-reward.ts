import { defineCommand } from "../command.js";
import { runTrainReward } from "../train-reward-session.js";
import { trainRewardSchema } from "../train-reward-settings.js";

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description:
    "Trains a reward for one draft on questions of your own: the draft answers them, its steps are labelled, and a small head learns to tell right steps from wrong ones by what the models know of them anyway. Ends with figures on questions held out and a threshold for rsd. Everything made on the way is kept: the same command goes on where it was cut. See docs/train-reward.md.",
  examples: [
    "stepwright train reward --draft small.gguf --target large.gguf --task mine.jsonl",
    "stepwright train reward --draft small.gguf --target large.gguf --task mine.jsonl --labels spare,outcome",
    "stepwright train reward --task lab --offset 650000 --limit 100",
  ],
  schema: trainRewardSchema,
  run: (context, settings) => runTrainReward(context, settings),
});

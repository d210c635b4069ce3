// Runs what is missing of a bench in the folder given, slowly enough to be killed at work. Uses the built package.
import { runBenchWorld } from "../../dist/testing/bench-world.js";

await runBenchWorld(process.argv[2], { questions: 30, script: { delay: () => 0.001 } });

// Runs, or takes up, the long run in the file given; slow enough to be killed at work. Uses the built package.
import { existsSync } from "node:fs";
import { startRun } from "../../dist/core/run.js";
import { openTraceSink, readTrace } from "../../dist/core/trace-file.js";
import { longRequest, longRoles } from "../../dist/testing/long-run.js";

const path = process.argv[2];
const contents = existsSync(path) ? await readTrace(path) : undefined;
const sink = await openTraceSink(path, { contents });
const roles = longRoles({ delay: () => 0.001 });
await startRun({ ...longRequest(roles), sink, ...(contents && { recording: contents.events }) }).result;

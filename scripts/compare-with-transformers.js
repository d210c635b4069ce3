// Asks a trained model the same lab questions through its GGUF here and through its safetensors in transformers,
// greedily, and prints how many answers are the same text.
//
//   node bin/stepwright.js train lab --model draft --out DIR --safetensors
//   python3 -m venv VENV && VENV/bin/pip install torch transformers
//   node scripts/compare-with-transformers.js --python VENV/bin/python --folder DIR --model draft [--questions 10]
//
// With --url it asks an OpenAI-compatible server (vLLM) that serves the folder as "local" instead.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findTask } from "../dist/tasks/index.js";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    url: { type: "string" },
    folder: { type: "string" },
    model: { type: "string", default: "draft" },
    questions: { type: "string", default: "10" },
  },
});
const mostTokens = 160;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const task = await findTask("lab");
const questions = Array.from(
  { length: Number(values.questions) },
  (_, index) => task.generate(600_000 + index).question,
);

const ours = questions.map((question) => {
  const gguf = join(values.folder, `${values.model}.gguf`);
  const flags = [
    "--method",
    "draft",
    "--draft",
    gguf,
    "--max-tokens",
    String(mostTokens),
    "--json",
    question,
  ];
  return JSON.parse(execFileSync(process.execPath, [here("../bin/stepwright.js"), "solve", ...flags])).text;
});
const theirs = values.url ? await askServer(values.url) : askTransformers();

let same = 0;
questions.forEach((question, index) => {
  if (ours[index].trim() === theirs[index].trim()) same++;
  else console.log(JSON.stringify({ question, ours: ours[index], theirs: theirs[index] }));
});
console.log(`${same} of ${questions.length} greedy texts are the same`);
process.exitCode = same === questions.length ? 0 : 1;

function askTransformers() {
  const input = JSON.stringify({ folder: join(values.folder, values.model), questions, mostTokens });
  const script = here("greedy-with-transformers.py");
  return JSON.parse(
    execFileSync(values.python, [script], { input, env: { ...process.env, OMP_NUM_THREADS: "1" } }),
  );
}

async function askServer(url) {
  const answers = [];
  for (const content of questions) {
    const response = await fetch(`${url}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "local",
        messages: [{ role: "user", content }],
        temperature: 0,
        max_tokens: mostTokens,
      }),
    });
    if (!response.ok) throw new Error(`the server answered ${response.status}: ${await response.text()}`);
    answers.push((await response.json()).choices[0].message.content);
  }
  return answers;
}

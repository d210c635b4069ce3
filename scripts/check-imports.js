// Imports point one way (ARCHITECTURE.md, "Layers"), there are no cycles, and koffi stays in src/native.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Layer -> what it may import besides itself. `*` is every layer. */
const allowed = {
  core: [],
  native: ["core"],
  models: ["core", "native"],
  methods: ["core"],
  drafts: ["core"],
  accept: ["core"],
  speculation: ["core", "drafts", "accept"],
  rewards: ["core"],
  cache: ["core", "native", "models"],
  train: ["core", "native", "models", "rewards", "tasks", "grade"],
  grade: ["core"],
  tasks: ["core", "grade"],
  bench: ["core", "methods", "rewards", "models", "tasks", "grade"],
  ai: ["models"],
  server: ["*"],
  cli: ["*"],
  testing: ["*"],
  index: ["*"],
};
/** Packages that only some layers may import; all others are free. */
const packages = { koffi: ["native"], hono: ["server"] };

/** What the studio may compile in: it talks to the rest over HTTP. */
const inStudio = ["core", "methods", "bench"];

const source = fileURLToPath(new URL("../src/", import.meta.url));
const files = readdirSync(source, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.split(sep).join("/"));

const layerOf = (file) => (file.includes("/") ? file.slice(0, file.indexOf("/")) : "index");
const importPattern =
  /^(?:import|export)\s(?:[^"';]*?\sfrom\s)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

const problems = [];
/** Static run-time imports: what a cycle is made of. */
const graph = new Map();

for (const file of files) {
  const text = readFileSync(join(source, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const layer = layerOf(file);
  const isTest = file.endsWith(".test.ts");
  if (!(layer in allowed))
    problems.push(`${file}: src/${layer} is no layer that scripts/check-imports.js knows`);
  graph.set(file, []);
  for (const match of text.matchAll(importPattern)) {
    const specifier = match[1] ?? match[2];
    if (!specifier.startsWith(".")) {
      const owners = packages[specifier.split("/")[0]];
      if (owners && !owners.includes(layer)) problems.push(`${file}: only ${owners} may import ${specifier}`);
      continue;
    }
    const target = normalize(join(dirname(file), specifier))
      .split(sep)
      .join("/")
      .replace(/\.js$/, ".ts");
    if (target.startsWith("..")) continue;
    const other = layerOf(target);
    const free = allowed[layer]?.includes("*") || allowed[layer]?.includes(other);
    // Tests may use the test helpers and reach down as they need.
    if (other !== layer && !free && !isTest)
      problems.push(`${file}: src/${layer} may not import src/${other}`);
    if (match[1] && !/^(?:import|export)\s+type\s/.test(match[0]) && !isTest) graph.get(file).push(target);
  }
}

const studio = fileURLToPath(new URL("../studio/src/", import.meta.url));
for (const file of readdirSync(studio, { recursive: true }).map(String)) {
  if (!/\.tsx?$/.test(file)) continue;
  for (const match of readFileSync(join(studio, file), "utf8").matchAll(/"(?:\.\.\/){2,}src\/([^/"]+)\//g)) {
    if (!inStudio.includes(match[1]))
      problems.push(`studio/src/${file}: the studio may not import src/${match[1]}`);
  }
}

const state = new Map();
function visit(file, path) {
  if (state.get(file) === "done") return;
  if (state.get(file) === "open") {
    problems.push(`cycle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
    return;
  }
  state.set(file, "open");
  for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
  state.set(file, "done");
}
for (const file of files) visit(file, []);

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exitCode = 1;
} else {
  console.log(`${relative(process.cwd(), source) || "src"}: ${files.length} files import one way, no cycles`);
}

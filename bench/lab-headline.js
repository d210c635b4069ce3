// The lab's headline: RSD with the free reward against draft, target, oracle and constant mixing, all on the same
// questions in one run. Threshold and mixing rate are chosen on development indices, figures are made on others.
//   npm run build && node bench/lab-headline.js --out runs/headline
// The same command goes on where it was cut: each part is a bench of its own in the folder.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    limit: { type: "string", default: "300" },
    development: { type: "string", default: "300" },
    "per-level": { type: "string", default: "60" },
    draft: { type: "string", default: "lab:draft" },
    target: { type: "string", default: "lab:target" },
    reward: { type: "string", default: "lab:reward" },
    thresholds: { type: "string", default: "0.2|0.3|0.4|0.5|0.6|0.7|0.8|0.9|0.95" },
  },
});
if (!values.out) {
  console.error(
    "usage: node bench/lab-headline.js --out DIR [--limit 300] [--development 300] [--per-level 60]",
  );
  process.exit(2);
}
const program = fileURLToPath(new URL("../bin/stepwright.js", import.meta.url));

/** One bench; its rows by label, and what it prints for people. */
async function bench(name, task, offset, limit, methods) {
  const folder = join(values.out, name);
  const argv = ["bench", "--task", task, "--offset", offset, "--limit", limit, "--method", methods.join(",")];
  const models = ["--draft", values.draft, "--target", values.target, "--out", folder];
  const child = spawn(process.execPath, [program, ...argv.map(String), ...models], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) process.exit(code ?? 1);
  const summary = JSON.parse(readFileSync(join(folder, "rows.json"), "utf8"));
  return new Map(summary.rows.map((row) => [row.label, row]));
}

const rsd = (threshold, reward = values.reward) => `rsd:threshold=${threshold};reward=${reward}`;
const sweep = values.thresholds.split("|");

const development = await bench("development", "lab", 560_000, values.development, [
  "target",
  ...sweep.map((threshold) => rsd(threshold)),
]);
const standard = development.get("target").accuracy;
const good = sweep
  .map((threshold) => ({ threshold, row: development.get(rsd(threshold)) }))
  .filter(({ row }) => row.accuracy >= standard)
  .sort((one, other) => one.row.flops - other.row.flops);
const best = good[0] ?? {
  threshold: sweep.at(-1),
  row: development.get(rsd(sweep.at(-1))),
};
print(`Development, ${values.development} questions from index 560,000`, [...development.values()]);
console.log(
  good.length > 0
    ? `Chosen: threshold ${best.threshold}, the cheapest that is at least as accurate as the target (${percent(standard)}).\n`
    : `No threshold is as accurate as the target (${percent(standard)}); the greatest is taken.\n`,
);

// What is kept by chance as often as the reward keeps it: the same share of steps by the target.
const rate = best.row.acceptance.toFixed(3);
const constant = `rsd:weight=constant;probability=${rate};reward=confidence`;
const methods = [
  ...["draft", "target"],
  ...sweep.map((threshold) => rsd(threshold)),
  rsd("0.5", "oracle"),
  rsd("0.5", "likelihood:target"),
  constant,
];
print(
  "Figures, from index 700,000",
  [...(await bench("figures", "lab", 700_000, values.limit, methods)).values()],
  rsd(best.threshold),
);
for (const level of [1, 2, 3, 4, 5]) {
  const rows = await bench(`level-${level}`, `lab:${level}`, 710_000, values["per-level"], [
    ...["draft", "target"],
    rsd(best.threshold),
  ]);
  print(`Level ${level}, from index 710,000`, [...rows.values()]);
}

function print(title, rows, chosen) {
  console.log(`${title}\n`);
  console.log(
    "| method | right | 95 % | FLOPs, times fewer | time, times less | draft's steps kept | tokens by the target |",
  );
  console.log("|---|---|---|---|---|---|---|");
  for (const row of rows) {
    const {
      label,
      accuracy,
      ci95,
      flopsVsTarget,
      secondsVsTarget,
      acceptance,
      targetTokens,
      draftTokens,
      tokens,
    } = row;
    const kept = draftTokens - (tokens.draft?.discardedTokens ?? 0);
    const cells = [
      label === chosen ? `**${label}**` : label,
      percent(accuracy),
      ci95.map(percent).join(" to "),
      times(flopsVsTarget),
      times(secondsVsTarget),
      acceptance === null ? "" : percent(acceptance),
      percent(targetTokens / (targetTokens + kept)),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
  console.log("");
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

function times(ratio) {
  return ratio === null ? "" : (1 / ratio).toFixed(2);
}

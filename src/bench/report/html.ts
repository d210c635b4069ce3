/** The report of a bench. */

import { groupBy } from "../../core/group-by.js";
import { chance, metric, percent, points, ratio } from "../figures-text.js";
import type { BenchResult } from "../result.js";
import type { BenchRow } from "../row.js";
import { equalComputeTable, limitsTable, predictionTable } from "../side-tables.js";
import { notesOf } from "../tables.js";
import type { BenchReport } from "./bench-report.js";
import { figuresOf } from "./figures.js";
import { drawMark, type Mark, marksOf } from "./marks.js";
import { originStrip, originText } from "./origin-strips.js";
import { figureSection, page, tableSection } from "./page.js";
import { linearScale } from "./scale.js";
import { figure, harmless, line } from "./svg.js";

/** Questions whose answers are shown step by step. */
const shownQuestions = 12;

export function htmlOf(report: BenchReport): string {
  const { summary } = report;
  const { task, n, planned, seeds } = summary;
  const name = task.split(/[\\/]/).at(-1)!;
  const asked = `${n === planned ? n : `${n} of ${planned}`} questions${seeds > 1 ? `, ${seeds} seeds` : ""}, ${summary.rows.length} rows, all over the same questions in one run`;
  const body = [
    `<h1>${harmless(name)}</h1><p class="soft">${harmless(asked)}</p>`,
    cards(report),
    ...notesOf(summary).map((note) => `<div class="warning">${harmless(note)}</div>`),
    rowsSection(report),
    ...figuresOf(report).map(figureSection),
    tableSection(
      equalComputeTable(summary),
      "What the same compute buys without a method: greedy decoding, and majority votes over as many plain samples as the method's FLOPs pay for.",
    ),
    tableSection(
      limitsTable(summary),
      "Bytes that the models' weights and caches made the machine read, and FLOPs, against what calibrate measured. The expected seconds are those of the counted tokens, one after another, on the calibrated machine.",
    ),
    tableSection(
      predictionTable(summary, report.prediction),
      `Foretold before the first run, from ${report.prediction?.source}: the method ran over stand-ins of the models' sizes; seconds are those of calibrate.`,
    ),
    stripsSection(report),
    settingsSection(report),
  ];
  return page(`${name}: stepwright bench`, body);
}

/** The one sentence per reader: the best row, and what it costs beside the target. */
function cards({ summary: { rows } }: BenchReport): string {
  const [best] = rows.toSorted((a, b) => b.accuracy - a.accuracy || a.flops - b.flops);
  if (!best) return "";
  const shown = [[percent(best.accuracy), `right at best: ${best.label} (${interval(best)})`]];
  const target = rows.find(
    ({ versusTarget, flopsVsTarget }) => flopsVsTarget !== null && versusTarget === null,
  );
  if (target) shown.push([percent(target.accuracy), `right by the target alone (${interval(target)})`]);
  // The cheapest row whose interval against the target does not lie below it: what one came for.
  const [cheap] = rows
    .filter(
      ({ versusTarget }) =>
        versusTarget !== null && versusTarget.ci95[1] >= 0 && versusTarget.difference >= -0.01,
    )
    .toSorted((a, b) => a.flops - b.flops);
  if (cheap && target && (cheap.flopsVsTarget ?? 1) < 1) {
    shown.push([
      `${(1 / cheap.flopsVsTarget!).toPrecision(2)} × less`,
      `FLOPs than the target: ${cheap.label}, ${points(cheap.versusTarget!.difference)} points [${cheap.versusTarget!.ci95.map(points).join(", ")}]`,
    ]);
  }
  return `<div class="cards">${shown.map(([figure, words]) => `<div class="card"><b>${harmless(figure!)}</b><span>${harmless(words!)}</span></div>`).join("")}</div>`;
}

function interval({ ci95 }: BenchRow): string {
  return `${(ci95[0] * 100).toFixed(0)} to ${percent(ci95[1])}`;
}

function rowsSection({ summary: { rows } }: BenchReport): string {
  const marks = marksOf(rows.map(({ method }) => method));
  const best = Math.max(...rows.map(({ accuracy }) => accuracy));
  const titles = [
    "method",
    "",
    "right",
    "95 %",
    "against target",
    "p",
    "FLOPs",
    "of target",
    "written only",
    "seconds",
    "of target",
    "draft kept",
    "reward",
    "oracle",
    "failed",
  ];
  const lines = rows.map((row) => {
    const { versusTarget } = row;
    const cells = [
      `${(row.ci95[0] * 100).toFixed(0)} to ${(row.ci95[1] * 100).toFixed(0)}`,
      versusTarget ? `${points(versusTarget.difference)} [${versusTarget.ci95.map(points).join(", ")}]` : "",
      versusTarget ? chance(versusTarget.p) : "",
      metric(row.flops),
      ratio(row.flopsVsTarget),
      metric(row.generatedFlops),
      row.seconds.toPrecision(3),
      ratio(row.secondsVsTarget),
      row.acceptance === null ? "" : percent(row.acceptance),
      row.meanReward === null ? "" : row.meanReward.toFixed(2),
      row.oracle === null ? "" : percent(row.oracle),
      row.failed === 0 ? "" : String(row.failed),
    ];
    return `<tr><td>${harmless(row.label)}</td><td class="forest">${forest(row, marks.get(row.method)!)}</td><td class="${row.accuracy === best ? "best" : ""}">${percent(row.accuracy)}</td>${cells.map((cell) => `<td>${harmless(cell)}</td>`).join("")}</tr>`;
  });
  return `<h2>All rows</h2><p class="soft">FLOPs and seconds are sums over all runs. "Written only" is the papers' account: reading is free in it.</p>
<div class="scroll"><table><thead><tr>${titles.map((title) => (title === "" ? '<th class="forest"></th>' : `<th>${harmless(title)}</th>`)).join("")}</tr></thead><tbody>${lines.join("")}</tbody></table></div>`;
}

/** Accuracy with its interval between 0 and 1, small enough for a cell. */
function forest({ accuracy, ci95, label }: BenchRow, mark: Mark): string {
  const x = linearScale([0, 1], [6, 134], String);
  const content =
    line(6, 10, 134, 10, "grid") +
    line(x.at(ci95[0]), 10, x.at(ci95[1]), 10, "whisker") +
    drawMark(mark, x.at(accuracy), 10, 4.5);
  return figure(140, 20, `${label}: ${percent(accuracy)}`, content);
}

function stripsSection({ summary, plan, results }: BenchReport): string {
  const labels = summary.rows.filter(({ acceptance }) => acceptance !== null).map(({ label }) => label);
  if (labels.length === 0) return "";
  const own = results.filter(({ method, seed }) => labels.includes(method) && seed === plan.seeds[0]);
  const byQuestion = groupBy(own, ({ question }) => question);
  // Where nothing was thrown away and all went well there is little to see.
  const isTelling = (id: string) =>
    byQuestion
      .get(id)!
      .some(({ steps, correct }) => !correct || steps.some(({ rejected }) => rejected.length > 0));
  const asked = plan.questions.filter(({ id }) => byQuestion.has(id));
  const questions = [
    ...asked.filter(({ id }) => isTelling(id)),
    ...asked.filter(({ id }) => !isTelling(id)),
  ].slice(0, shownQuestions);
  const most = Math.max(1, ...own.map(({ steps }) => steps.reduce((sum, { tokens }) => sum + tokens, 0)));
  const shown = labels.slice(0, 4);
  const details = questions.map(({ id, question }) => {
    const runs = shown.flatMap((label) =>
      own.filter((result) => result.question === id && result.method === label),
    );
    const strips = runs.map((result) => strip(result, 620 / most));
    const answers = runs.slice(0, 1).map((result) => `<div class="answer">${originText(result)}</div>`);
    return `<details><summary>${harmless(question.length > 150 ? `${question.slice(0, 150)}…` : question)}</summary>${strips.join("")}${answers.join("")}</details>`;
  });
  const open = details.map((detail, index) =>
    index < 3 ? detail.replace("<details>", "<details open>") : detail,
  );
  return `<h2>Who wrote the answers</h2><p class="soft">A segment is a step, as long as its tokens.<span class="key draft"></span>draft<span class="key target"></span>target<span class="key other"></span>others. Slim segments above were thrown away; a struck step is wrong by the task's checker. The text below is the first strip's. Questions of which a step was thrown away, or the answer is wrong, come first.</p>${open.join("")}`;
}

function strip(result: BenchResult, scale: number): string {
  const verdict = result.correct
    ? '<span class="verdict right" title="right">✓</span>'
    : '<span class="verdict wrong" title="wrong">✗</span>';
  return `<div class="strip"><span>${harmless(result.method)}</span>${originStrip(result, scale, 620)}${verdict}</div>`;
}

function settingsSection({ file, plan }: BenchReport): string {
  if (!file) return "";
  const { configuration, models = {}, identity } = file;
  const rows = [
    ["bench", identity.slice(0, 16)],
    ...Object.entries(models).map(([role, { name, fingerprint }]) => [
      role,
      `${name}${fingerprint ? ` (${fingerprint.slice(0, 19)})` : ""}`,
    ]),
    [
      "questions",
      `${configuration.task.offset} to ${configuration.task.offset + plan.questions.length - 1} of ${configuration.task.name}`,
    ],
    ["seeds", configuration.seeds.join(", ")],
    ["request", JSON.stringify(configuration.request)],
    ["references", JSON.stringify(configuration.references)],
  ];
  return `<h2>How it was run</h2><div class="scroll"><table><tbody>${rows
    .map(
      ([name, value]) =>
        `<tr><td>${harmless(name!)}</td><td class="words mono" style="white-space:normal">${harmless(value!)}</td></tr>`,
    )
    .join(
      "",
    )}</tbody></table></div><p class="soft">FLOPs of one token at position t: 2 × (non-embedding parameters + output matrix) + 4 × layers × t × (heads × head size). Intervals are Wilson's over questions; differences are paired, by bootstrap over questions, with McNemar's exact p.</p>`;
}

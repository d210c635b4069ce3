/** What the studio shows of bench folders: the rows as the bench wrote them, and two rows against each other. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BenchFolder, readBenchFolder } from "../../bench/bench-folder.js";
import { pairedDifference } from "../../bench/paired-difference.js";
import type { BenchResult } from "../../bench/result.js";
import type { BenchSummary } from "../../bench/summary.js";
import { groupBy } from "../../core/group-by.js";
import { findTask } from "../../tasks/index.js";
import { isGenerated } from "../../tasks/task.js";
import { ApiError } from "../api-error.js";

export interface NamedBench {
  readonly id: string;
  readonly path: string;
  readonly name: string;
}

export async function benchEntry({ id, path, name }: NamedBench) {
  const { task, n, rows } = await summaryOf(path);
  return { id, name, task, questions: n, rows: rows.map(({ label }) => label) };
}

export async function benchReport({ id, path, name }: NamedBench) {
  const { task, n, rows, seeds } = await summaryOf(path);
  const figures = await readdir(join(path, "figures")).catch(() => []);
  return {
    id,
    name,
    task,
    questions: n,
    seeds,
    rows: rows.map((row) => ({
      label: row.label,
      method: row.method,
      accuracy: row.accuracy,
      ci95: row.ci95,
      runs: row.runs,
      flops: row.flops,
      flopsVsTarget: row.flopsVsTarget,
      seconds: row.seconds,
      secondsVsTarget: row.secondsVsTarget,
      acceptance: row.acceptance,
      failed: row.failed,
    })),
    // The page draws accuracy against cost itself.
    figures: figures.filter(
      (figure) =>
        figurePattern.test(figure) &&
        !figure.startsWith("accuracy-by-flops") &&
        !figure.startsWith("accuracy-by-seconds"),
    ),
  };
}

const figurePattern = /^[a-z0-9-]+\.svg$/;

/** Undefined where there is no such figure. */
export async function benchFigure(
  { path }: NamedBench,
  figure: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!figurePattern.test(figure)) return undefined;
  return readFile(join(path, "figures", figure)).then(
    (bytes) => new Uint8Array(bytes),
    () => undefined,
  );
}

/** Questions that are shown in full. */
const mostShown = 200;
const shownCharacters = 8000;

/** Throws 404 for a row that is not there. */
export async function comparison(one: readonly [NamedBench, string], other: readonly [NamedBench, string]) {
  const [left, right] = await Promise.all([rowOf(one), rowOf(other)]);
  const { difference, ci95, better, worse, p } = pairedDifference(left.results, right.results);
  const ours = groupBy(left.results, ({ question }) => question);
  const theirs = groupBy(right.results, ({ question }) => question);
  const common = [...ours.keys()].filter((question) => theirs.has(question));
  if (common.length === 0) {
    throw new ApiError(400, "nothing_in_common", "the two rows answered no question in common", {
      remedy: "choose rows of benches over the same questions",
    });
  }
  const share = (results: readonly BenchResult[]) =>
    results.filter(({ correct }) => correct).length / results.length;
  const parted = common.filter((question) => share(ours.get(question)!) !== share(theirs.get(question)!));
  const alike = common.filter((question) => !parted.includes(question));
  const shown = [...parted, ...alike].slice(0, mostShown);
  const texts = await questionTexts(left.folder);
  const mean = (sides: typeof ours) =>
    common.reduce((sum, question) => sum + share(sides.get(question)!), 0) / common.length;
  const flops = (sides: typeof ours) =>
    common
      .flatMap((question) => sides.get(question)!)
      .reduce((sum, { ledger }) => sum + ledger.total.flops, 0);
  const side = (results: readonly BenchResult[]) => {
    const { answer, text, ledger } = results[0]!;
    return { share: share(results), answer, text: text.slice(0, shownCharacters), flops: ledger.total.flops };
  };
  return {
    one: one[1],
    other: other[1],
    questions: common.length,
    difference,
    ci95,
    better,
    worse,
    p,
    accuracies: [mean(ours), mean(theirs)],
    flops: [flops(ours), flops(theirs)],
    shown: shown.map((question) => ({
      question,
      text: (texts.get(question) ?? question).slice(0, shownCharacters),
      one: side(ours.get(question)!),
      other: side(theirs.get(question)!),
    })),
    left: common.length - shown.length,
  };
}

async function rowOf([bench, label]: readonly [NamedBench, string]) {
  const folder = await readBenchFolder(bench.path);
  const results = folder.byLabel.get(label)?.flat();
  if (!results) throw new ApiError(404, "not_found", "the bench has no such row");
  return { folder, results };
}

/** A bench keeps ids; a task that makes its questions from their index says them again. */
async function questionTexts({ file }: BenchFolder): Promise<Map<string, string>> {
  const { name, offset, limit } = file.configuration.task;
  const task = await findTask(name).catch(() => undefined);
  if (!task || !isGenerated(task)) return new Map();
  const count = Math.min(limit ?? 0, 20_000);
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const { id, question } = task.generate(offset + index);
      return [id, question];
    }),
  );
}

async function summaryOf(path: string): Promise<BenchSummary> {
  try {
    return JSON.parse(await readFile(join(path, "rows.json"), "utf8")) as BenchSummary;
  } catch (cause) {
    throw new ApiError(404, "not_found", "the bench has no rows yet", {
      remedy: "let stepwright bench finish, or run it again: it resumes",
      cause,
    });
  }
}

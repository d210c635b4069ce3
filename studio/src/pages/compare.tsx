/** Two rows over the same questions: the paired difference, how sure it is, and where the two part. */
import type { BenchEntry, ComparedQuestion, ComparedSide, Comparison } from "../api/types.js";
import { useJson } from "../api/use-json.js";
import { Problem } from "../parts/problem.js";
import { adjust } from "../route.js";
import { chance, count, metric, percent, points, visible } from "../words.js";

export function Compare({ query }: { readonly query: URLSearchParams }) {
  const files = useJson<{ benches: readonly BenchEntry[] }>("/studio/files");
  const [one, other] = [query.get("one") ?? "", query.get("other") ?? ""];
  const path = one && other ? `/studio/files/compare?${new URLSearchParams({ one, other })}` : null;
  const { value, problem } = useJson<Comparison>(path);
  const rows = (files.value?.benches ?? []).flatMap(({ id, name, rows: labels }) =>
    labels.map((label) => ({ key: `${id}/${label}`, words: `${name}: ${label}` })),
  );
  const set = (change: Readonly<Record<string, string>>) => adjust(["compare"], { one, other, ...change });
  return (
    <div class="page">
      <h1>Compare</h1>
      <div class="compare-form">
        <RowChoice words="One" value={one} rows={rows} onChange={(key) => set({ one: key })} />
        <RowChoice words="The other" value={other} rows={rows} onChange={(key) => set({ other: key })} />
        <button type="button" class="quiet" onClick={() => set({ one: other, other: one })}>
          change places
        </button>
      </div>
      {files.problem && <Problem problem={files.problem} />}
      {problem && <Problem problem={problem} />}
      {value && <Difference found={value} />}
      {path && !value && !problem && <p class="soft">Reading …</p>}
    </div>
  );
}

function RowChoice({
  words,
  value,
  rows,
  onChange,
}: {
  words: string;
  value: string;
  rows: readonly { key: string; words: string }[];
  onChange(key: string): void;
}) {
  const id = `row-${words.replace(/\W/g, "")}`;
  return (
    <div class="field">
      <label for={id}>{words}</label>
      <select id={id} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        <option value="">choose a row</option>
        {rows.map((row) => (
          <option key={row.key} value={row.key}>
            {row.words}
          </option>
        ))}
      </select>
    </div>
  );
}

function Difference({ found }: { readonly found: Comparison }) {
  const { difference, ci95, better, worse, p, questions, accuracies, flops, shown, left } = found;
  // With few questions that differ the bootstrap is too sure of itself; both tests have to agree.
  const sure = (ci95[0] > 0 || ci95[1] < 0) && p < 0.05;
  return (
    <>
      <div class="figures-row">
        <div class="panel">
          <b>{points(difference)} points</b>
          <span class="soft">
            {better + worse === 0
              ? "right and wrong on the same questions, so that no interval can be told"
              : `95 % between ${points(ci95[0])} and ${points(ci95[1])}: ${sure ? "a difference" : "not sure that it is one"}`}
          </span>
        </div>
        <div class="panel">
          <b>
            {better} to {worse}
          </b>
          <span class="soft">
            better on {better}, worse on {worse} of {count(questions, "question")}; McNemar's exact p{" "}
            {chance(p)}
          </span>
        </div>
        <div class="panel">
          <b>{flops[1] > 0 ? `${(flops[0] / flops[1]).toPrecision(2)} ×` : "–"}</b>
          <span class="soft">
            the FLOPs: {metric(flops[0])} against {metric(flops[1])}
          </span>
        </div>
        <div class="panel">
          <b>
            {(accuracies[0] * 100).toFixed(1)} to {percent(accuracies[1])}
          </b>
          <span class="soft">right answers</span>
        </div>
      </div>
      {better + worse > 0 && <Interval difference={difference} ci95={ci95} />}
      <h2 class="section-title">Questions</h2>
      <p class="soft">Those on which the two part come first.</p>
      {shown.map((question) => (
        <Asked key={question.question} {...question} />
      ))}
      {left > 0 && <p class="soft">{count(left, "more question")} on which both do equally well.</p>}
    </>
  );
}

/** The difference and its interval on a line around none. */
function Interval({ difference, ci95 }: Pick<Comparison, "difference" | "ci95">) {
  const most = Math.max(0.02, Math.abs(ci95[0]), Math.abs(ci95[1])) * 1.15;
  const x = (value: number) => 360 + (value / most) * 330;
  return (
    <svg
      class="difference"
      viewBox="0 0 720 64"
      role="img"
      aria-label={`Difference ${points(difference)} points, between ${points(ci95[0])} and ${points(ci95[1])}`}
    >
      <line class="zero" x1={360} x2={360} y1={4} y2={44} />
      <line class="range" x1={x(ci95[0])} x2={x(ci95[1])} y1={24} y2={24} />
      <circle cx={x(difference)} cy={24} r={7} />
      <text x={360} y={60} text-anchor="middle">
        no difference
      </text>
      <text x={10} y={60}>
        the other is better
      </text>
      <text x={710} y={60} text-anchor="end">
        the one is better
      </text>
    </svg>
  );
}

function Asked({ text, one, other }: ComparedQuestion) {
  return (
    <details class="asked">
      <summary data-item>
        <span class="run-question" dir="auto">
          {visible(text)}
        </span>
        <Mark side={one} />
        <Mark side={other} />
      </summary>
      <p class="pairs-question pair-text" dir="auto">
        {visible(text)}
      </p>
      <div class="pairs">
        {[one, other].map((side, index) => (
          <div key={index}>
            <p class="soft">
              <Mark side={side} />, {metric(side.flops)} FLOPs
            </p>
            <div class="pair-text" dir="auto">
              {visible(side.text.trim())}
            </div>
          </div>
        ))}
      </div>
    </details>
  );
}

function Mark({ side }: { readonly side: ComparedSide }) {
  const right = side.share === 1;
  const words = right ? "right" : side.share === 0 ? "wrong" : `${Math.round(side.share * 100)} % right`;
  return (
    <span>
      <span class={`verdict-mark ${right ? "right" : "wrong"}`} aria-hidden="true">
        {right ? "✓" : "✗"}
      </span>{" "}
      {visible(side.answer.slice(0, 40)) || "no answer"} <span class="soft">{words}</span>
    </span>
  );
}

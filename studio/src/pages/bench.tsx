/** A bench's report: what each row cost and how often it was right, with the front that no other row beats. */
import { useState } from "preact/hooks";
import type { BenchReportFacts, BenchRowFacts } from "../api/types.js";
import { useJson } from "../api/use-json.js";
import { Pareto } from "../parts/pareto.js";
import { Problem } from "../parts/problem.js";
import { linkTo } from "../route.js";
import { count, metric, percent, seconds, visible } from "../words.js";

export function Bench({ id }: { readonly id: string }) {
  const path = `/studio/files/benches/${encodeURIComponent(id)}`;
  const { value, problem } = useJson<BenchReportFacts>(path, 30);
  const [cost, setCost] = useState<"flops" | "seconds">("flops");
  const [hot, setHot] = useState<string | null>(null);
  if (!value)
    return <div class="page">{problem ? <Problem problem={problem} /> : <p class="soft">Reading …</p>}</div>;
  const { name, task, questions, seeds, rows, figures } = value;
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1>{visible(name)}</h1>
          <p class="soft">
            {visible(task)}, {count(questions, "question")}, {count(seeds, "seed")}
          </p>
        </div>
        <a
          class="button"
          href={linkTo(["compare"], {
            one: `${id}/${bestOf(rows)}`,
            other: targetOf(rows) && `${id}/${targetOf(rows)}`,
          })}
        >
          Compare two rows
        </a>
      </div>
      <figure class="pareto">
        <div class="page-head">
          <h2>Right answers against cost</h2>
          <select
            aria-label="Cost"
            value={cost}
            onChange={({ currentTarget }) => setCost(currentTarget.value as typeof cost)}
          >
            <option value="flops">FLOPs per question</option>
            <option value="seconds">seconds per question</option>
          </select>
        </div>
        <Pareto rows={rows} cost={cost} hot={hot} onHot={setHot} />
      </figure>
      <div class="table-scroll">
        <table class="rows">
          <thead>
            <tr>
              {[
                "row",
                "right",
                "95 %",
                "FLOPs a question",
                "of target",
                "seconds",
                "draft kept",
                "failed",
              ].map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr
                key={row.label}
                class={row.label === hot ? "hot" : ""}
                onMouseEnter={() => setHot(row.label)}
                onMouseLeave={() => setHot(null)}
              >
                <th scope="row">{visible(row.label)}</th>
                <td>{percent(row.accuracy)}</td>
                <td>
                  {(row.ci95[0] * 100).toFixed(0)} to {(row.ci95[1] * 100).toFixed(0)}
                </td>
                <td>{metric(row.flops / Math.max(1, row.runs))}</td>
                <td>{row.flopsVsTarget === null ? "" : `${row.flopsVsTarget.toPrecision(2)} ×`}</td>
                <td>{seconds(row.seconds / Math.max(1, row.runs))}</td>
                <td>{row.acceptance === null ? "" : percent(row.acceptance)}</td>
                <td>{row.failed || ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="report-figures">
        {figures.map((figure) => (
          <figure key={figure} class="report-figure">
            <h2>{headingOf(figure)}</h2>
            <img
              src={`${path}/figures/${encodeURIComponent(figure)}`}
              alt={headingOf(figure)}
              width="720"
              height="440"
              loading="lazy"
            />
          </figure>
        ))}
      </div>
    </div>
  );
}

function bestOf(rows: readonly BenchRowFacts[]): string | undefined {
  return rows
    .filter(({ method }) => method !== "target")
    .toSorted((a, b) => b.accuracy - a.accuracy || a.flops - b.flops)[0]?.label;
}

/** The row that costs are measured against. */
function targetOf(rows: readonly BenchRowFacts[]): string | undefined {
  return rows.find(({ flopsVsTarget }) => flopsVsTarget === 1)?.label;
}

/** "reliability-1-rsd.svg" as "Reliability 1 rsd". */
function headingOf(figure: string): string {
  const words = figure.replace(/\.svg$/, "").replaceAll("-", " ");
  return words[0]!.toUpperCase() + words.slice(1);
}

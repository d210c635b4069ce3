/** Benches that were named when the studio started. */
import type { BenchEntry } from "../api/types.js";
import { useJson } from "../api/use-json.js";
import { Problem } from "../parts/problem.js";
import { linkTo } from "../route.js";
import { count } from "../words.js";

export function Benches() {
  const { value, problem } = useJson<{ benches: readonly BenchEntry[] }>("/studio/files", 15);
  const benches = value?.benches ?? [];
  return (
    <div class="page">
      <div class="page-head">
        <h1>Benches</h1>
        {benches.length > 0 && (
          <a class="button" href={linkTo(["compare"])}>
            Compare two rows
          </a>
        )}
      </div>
      {problem && <Problem problem={problem} />}
      {benches.length > 0 && (
        <ul class="run-list bench-list">
          {benches.map(({ id, name, task, questions, rows }) => (
            <li key={id}>
              <a href={linkTo(["benches", id])} data-item>
                <b>{name}</b>
                <div class="soft">
                  {task}, {count(questions, "question")}: {rows.slice(0, 6).join(", ")}
                  {rows.length > 6 && ` and ${rows.length - 6} more`}
                </div>
              </a>
            </li>
          ))}
        </ul>
      )}
      {value && benches.length === 0 && (
        <p class="empty soft">
          No bench was named. <code>stepwright studio --bench DIR</code> shows the report of a folder that{" "}
          <code>stepwright bench</code> wrote.
        </p>
      )}
    </div>
  );
}

/** All runs: those of the server, and trace files that were named when it started. */
import { useRunList } from "../api/use-run-list.js";
import { Problem } from "../parts/problem.js";
import { adjust } from "../route.js";
import { ago, bytes, finishWords, metric, seconds, visible } from "../words.js";

const mostRows = 200;

export function Runs({ query, onFile }: { readonly query: URLSearchParams; onFile(file: File): void }) {
  const { entries: all, loaded, problem } = useRunList(4);
  const [text, method, status] = ["q", "method", "status"].map((name) => query.get(name) ?? "") as [
    string,
    string,
    string,
  ];
  const shown = all.filter(
    (row) =>
      (method === "" || row.method === method) &&
      (status === "" || row.status === status) &&
      `${row.question} ${row.answer} ${row.method} ${row.file?.name ?? ""}`
        .toLowerCase()
        .includes(text.toLowerCase()),
  );
  const set = (change: Readonly<Record<string, string>>) =>
    adjust(["runs"], { q: text, method, status, ...change });
  return (
    <div class="page">
      <div class="page-head">
        <h1>Runs</h1>
        <label class="button file">
          Open a trace …
          <input
            type="file"
            accept=".jsonl,.json,.txt"
            onChange={({ currentTarget }) => currentTarget.files?.[0] && onFile(currentTarget.files[0])}
          />
        </label>
      </div>
      {problem && <Problem problem={problem} />}
      <search class="filters">
        <input
          data-filter
          type="search"
          placeholder="Filter"
          aria-label="Filter by text"
          value={text}
          onInput={({ currentTarget }) => set({ q: currentTarget.value })}
        />
        <Choice
          label="Method"
          value={method}
          choices={all.map((row) => row.method)}
          onChange={(value) => set({ method: value })}
        />
        <Choice
          label="Status"
          value={status}
          choices={all.map((row) => row.status)}
          onChange={(value) => set({ status: value })}
        />
      </search>
      {shown.length > 0 && (
        <ul class="run-list">
          {shown.slice(0, mostRows).map((row) => (
            <li key={row.name}>
              <a href={row.link} data-item class="run-item">
                <span class="run-question" dir="auto">
                  {visible(row.question) || "(no question)"}
                </span>
                <span class="run-answer" dir="auto">
                  {visible(row.answer)}
                </span>
                <span class="run-line soft">
                  <span class="chip method">{row.method}</span>
                  <span class={`status ${statusClass(row.status)}`}>
                    {finishWords[row.status] ?? row.status}
                  </span>
                  {row.flops !== null && <span>{metric(row.flops)} FLOPs</span>}
                  {row.seconds !== null && <span>{seconds(row.seconds)}</span>}
                  {row.file && (
                    <span>
                      {visible(row.file.name)}, {bytes(row.file.bytes)}
                    </span>
                  )}
                  <span>{ago(row.when)}</span>
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {shown.length > mostRows && (
        <p class="soft">{(shown.length - mostRows).toLocaleString("en")} more; a filter narrows the list.</p>
      )}
      {shown.length === 0 && loaded && (
        <p class="empty soft">
          {all.length > 0 ? "No run passes this filter." : "No runs yet. "}
          {all.length === 0 && <a href="#/ask">Ask a question</a>}
          {all.length === 0 && ", or drop a trace file here."}
        </p>
      )}
    </div>
  );
}

function Choice({
  label,
  value,
  choices,
  onChange,
}: {
  label: string;
  value: string;
  choices: readonly string[];
  onChange(value: string): void;
}) {
  const different = [...new Set([...choices, ...(value ? [value] : [])])].sort();
  return (
    <select aria-label={label} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
      <option value="">{label}: all</option>
      {different.map((choice) => (
        <option key={choice} value={choice}>
          {finishWords[choice] ?? choice}
        </option>
      ))}
    </select>
  );
}

function statusClass(status: string): string {
  if (status === "stop") return "good";
  return /running|queued|progress/.test(status) ? "live" : "bad";
}

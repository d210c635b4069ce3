/** Beside the steps: the answer, and what the run was told. */
import type { RunView } from "../reading/views.js";
import { count, visible } from "../words.js";

export function Answer({ view, live }: { view: RunView; live: boolean }) {
  const { end } = view;
  if (end?.error) {
    return (
      <section class="panel">
        <h2>Failed</h2>
        <p>{visible(end.error)}</p>
      </section>
    );
  }
  if (!end) return live ? null : <section class="panel soft">No answer is recorded.</section>;
  return (
    <section class="panel answer" aria-label="Answer">
      <h2>Answer</h2>
      <p class="answer-text" dir="auto">
        {visible(shortAnswer(end.text)) || "none"}
      </p>
    </section>
  );
}

/** What stands in the last box, or the last line. */
export function shortAnswer(text: string): string {
  const boxed = [...text.matchAll(/\\boxed\{([^{}]*)\}/g)].at(-1)?.[1];
  return boxed ?? text.trim().split("\n").at(-1)?.slice(0, 400) ?? "";
}

export function Settings({ view }: { view: RunView }) {
  const { roles, options, seed, sampling, maxTokens, run } = view.started!;
  const rows: [string, string][] = [
    ...Object.entries(roles).map(([role, identity]): [string, string] => [role, identity?.name ?? "?"]),
    ...Object.entries(options).map(([name, value]): [string, string] => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
    ["temperature", String(sampling.temperature)],
    ["seed", String(seed)],
    ["greatest length", count(maxTokens, "token")],
    ["run", run],
  ];
  return (
    <details class="panel settings">
      <summary>Settings</summary>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{visible(name)}</dt>
            <dd>{visible(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

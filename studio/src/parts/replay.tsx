/** The recorded run at other options: a line to drag through the rewards, and what the recording says of it. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { OptionSchema } from "../api/types.js";
import type { Decision } from "../reading/protocol.js";
import type { Reading } from "../reading/use-run.js";
import { count, visible } from "../words.js";
import { OptionForm } from "./option-form.js";

interface ReplayProps {
  readonly reading: Reading;
  /** The line's option and where it stands, from the address. */
  readonly at: string | null;
  onMove(value: number): void;
  /** Asks the same question anew with these options; null where there is no server for it. */
  readonly askAnew: ((options: Readonly<Record<string, unknown>>) => void) | null;
}

export function Replay({ reading, at, onMove, askAnew }: ReplayProps) {
  const { state, options: found, ask, supposition } = reading;
  const isDone = state.kind === "done";
  const [changes, setChanges] = useState<Readonly<Record<string, unknown>>>({});
  useEffect(() => {
    if (isDone) ask({ ask: "options" });
  }, [ask, isDone]);
  const schema = found?.schema as OptionSchema | null | undefined;
  const line = schema?.properties?.threshold;
  // A word in place of a number: the reward advised a threshold for each step.
  const recorded = found?.options.threshold ?? 0;
  const value = at === null || Number.isNaN(Number(at)) ? recorded : Number(at);
  const options = useMemo(
    () => ({ ...found?.options, ...changes, ...(line && { threshold: value }) }),
    [found, changes, line, value],
  );
  useEffect(() => {
    if (schema) ask({ ask: "what-if", options });
  }, [ask, schema, options]);
  if (!isDone) return <p class="soft">A run can be replayed when it has ended.</p>;
  if (!found) return <p class="soft">Reading …</p>;
  if (!schema) return <p class="notice open">This recording cannot be run again here: {found.problem}.</p>;
  const others = Object.fromEntries(
    Object.entries(schema.properties ?? {}).filter(([name]) => name !== "threshold"),
  );
  return (
    <div class="replay">
      <p class="lead">
        The method runs again on the recorded steps and rewards, at other options. No model is called. Where
        it comes to a step that was never written, the recording ends, and so does what can be said.
      </p>
      {line && (
        <Line
          value={numeric(value)}
          recorded={numeric(recorded)}
          onMove={onMove}
          decisions={found.decisions}
          now={supposition?.decisions ?? []}
        />
      )}
      <Verdict reading={reading} />
      {Object.keys(others).length > 0 && (
        <details class="more-options">
          <summary>Other options</summary>
          <OptionForm
            prefix="replay"
            schema={{ properties: others }}
            values={{ ...found.options, ...changes }}
            onChange={setChanges}
          />
        </details>
      )}
      {askAnew && supposition && !supposition.problem && !supposition.same && (
        <button type="button" class="primary" onClick={() => askAnew(options)}>
          Ask anew with these options
        </button>
      )}
    </div>
  );
}

function Verdict({ reading }: { readonly reading: Reading }) {
  const { supposition } = reading;
  if (!supposition) return null;
  const { problem, same, known, changed, text, decisions } = supposition;
  if (problem) return <p class="notice bad">{problem}</p>;
  const recorded = reading.view?.end?.text.trim();
  const words = same
    ? "Nothing changes: every decision is the recorded one."
    : known
      ? text.trim() === recorded
        ? "Another way, the same answer: all that it needs was recorded."
        : "Another answer, and all of it was recorded:"
      : changed
        ? `Step ${changed.number} would have been ${changed.kept ? "kept" : "rejected"}${changed.reward === null ? "" : ` (its reward is ${changed.reward.toFixed(2)})`}. What would have been written after that, nobody knows.`
        : `After ${count(decisions.length, "decision")} the run would have asked for a step that was never written. What follows is unknown.`;
  return (
    <div class="verdict" aria-live="polite">
      <p class={`notice ${same ? "good" : known ? "good" : "open"}`}>{words}</p>
      {!same && (
        <div class="known-text">
          <div class="step-text" dir="auto">
            {visible(text.trim())}
          </div>
          {!known && <div class="unknown-text">unknown from here on</div>}
        </div>
      )}
    </div>
  );
}

const height = 190;
const margin = { left: 34, right: 14, top: 12, bottom: 26 };

function numeric(threshold: unknown): number | null {
  return typeof threshold === "number" ? threshold : null;
}

interface LineProps {
  /** Null: as advised for each step. */
  readonly value: number | null;
  readonly recorded: number | null;
  readonly decisions: readonly Decision[];
  readonly now: readonly Decision[];
  onMove(value: number): void;
}

/** Rewards from left to right; above the line, or the step's own short one, is kept. */
function Line({ value, recorded, decisions, now, onMove }: LineProps) {
  const width = 640;
  const scored = decisions.filter(({ reward }) => reward !== null);
  const across = (threshold: number) => ({
    ...{ x1: margin.left, x2: width - margin.right },
    ...{ y1: y(threshold), y2: y(threshold) },
  });
  const x = (index: number) =>
    margin.left + ((index + 0.5) * (width - margin.left - margin.right)) / Math.max(1, scored.length);
  const y = (reward: number) =>
    margin.top + (1 - Math.min(1, reward)) * (height - margin.top - margin.bottom);
  const known = now.filter(({ reward }) => reward !== null).length;
  const end = known < scored.length ? x(known - 0.5) : null;
  return (
    <figure class="line-figure">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Rewards of ${count(scored.length, "decided step")}, and the threshold ${value === null ? "advised for each" : `at ${value}`}`}
      >
        {[0, 0.25, 0.5, 0.75, 1].map((tick) => (
          <g key={tick}>
            <line class="grid" x1={margin.left} x2={width - margin.right} y1={y(tick)} y2={y(tick)} />
            <text class="tick" x={margin.left - 6} y={y(tick) + 4} text-anchor="end">
              {tick}
            </text>
          </g>
        ))}
        {end !== null && (
          <rect
            class="unknown"
            x={end}
            y={margin.top}
            width={Math.max(0, width - margin.right - end)}
            height={height - margin.top - margin.bottom}
          />
        )}
        {end !== null && (
          <text class="tick" x={Math.min(end + 8, width - 90)} y={height - margin.bottom - 8}>
            unknown
          </text>
        )}
        {recorded !== null && <line class="recorded-line" {...across(recorded)} />}
        {value !== null && <line class="threshold-line" {...across(value)} />}
        {scored.map(({ node, threshold }, index) =>
          threshold === null ? null : (
            <line
              key={node}
              class={value === null ? "threshold-line" : "recorded-line"}
              x1={x(index - 0.4)}
              x2={x(index + 0.4)}
              y1={y(threshold)}
              y2={y(threshold)}
            />
          ),
        )}
        {scored.map((decision, index) => {
          const then = now[decisions.indexOf(decision)];
          const kept = then ? then.kept : decision.kept;
          return (
            <g
              key={decision.node}
              class={`dot ${kept ? "kept" : "rejected"} ${index < known ? "" : "beyond"}`}
            >
              <title>{`step ${decision.number}, reward ${decision.reward!.toFixed(3)}: ${visible(decision.text.trim())}`}</title>
              {kept ? (
                <circle cx={x(index)} cy={y(decision.reward!)} r="6" />
              ) : (
                <path d={`M${x(index) - 5} ${y(decision.reward!) - 5}l10 10m0 -10l-10 10`} />
              )}
              {scored.length <= 40 && (
                <text class="tick" x={x(index)} y={height - 8} text-anchor="middle">
                  {decision.number}
                </text>
              )}
            </g>
          );
        })}
      </svg>
      <label class="slider">
        <span>
          threshold <output>{value === null ? "as advised" : value.toFixed(2)}</output>{" "}
          <span class="soft">recorded {recorded === null ? "as advised" : `at ${recorded}`}</span>
        </span>
        <input
          type="range"
          min="0"
          max="1.01"
          step="0.01"
          value={value ?? 0.5}
          onInput={({ currentTarget }) => onMove(Number(currentTarget.value))}
        />
      </label>
      <figcaption>
        A dot is a step that was judged: filled where it is kept, crossed where it is rejected.
      </figcaption>
    </figure>
  );
}

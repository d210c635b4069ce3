/** A question, a method and its options; one run or two side by side. */
import { useEffect, useState } from "preact/hooks";
import { type ApiProblem, postJson } from "../api/client.js";
import type { RunSummary, ServedModel } from "../api/types.js";
import { useJson } from "../api/use-json.js";
import { Problem } from "../parts/problem.js";
import { type Options, type Side, SideForm } from "../parts/side-form.js";
import { go } from "../route.js";

interface Started {
  readonly id: string;
}

export function Ask({ query }: { readonly query: URLSearchParams }) {
  const models = useJson<{ data: readonly ServedModel[] }>("/v1/models", 20);
  const from = query.get("from");
  const before = useJson<RunSummary>(from && `/v1/runs/${encodeURIComponent(from)}`);
  const presets = (models.value?.data ?? []).filter(({ stepwright }) => stepwright);
  const [question, setQuestion] = useState<string | null>(null);
  const [left, setLeft] = useState<Side | null>(null);
  const [right, setRight] = useState<Side | null>(null);
  const [temperature, setTemperature] = useState(query.get("temperature") ?? "0");
  const [seed, setSeed] = useState("0");
  const [maxTokens, setMaxTokens] = useState(query.get("length") ?? "");
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const first =
    presets.find(({ id }) => id === before.value?.model) ??
    presets.find(({ stepwright }) => stepwright?.method === (before.value?.method ?? "rsd")) ??
    presets[0];
  const wished = optionsOf(query.get("options")) ?? before.value?.options ?? {};
  const one = left ?? (first ? { model: first.id, options: unusual(wished, first) } : null);
  const text = question ?? before.value?.question ?? "";
  // A question that was asked already brings its seed along.
  useEffect(() => {
    if (before.value?.seed !== undefined) setSeed(String(before.value.seed));
  }, [before.value]);

  const send = async (event: Event) => {
    event.preventDefault();
    if (!one || text.trim() === "" || sending) return;
    setSending(true);
    setProblem(null);
    const sides = right ? [one, right] : [one];
    try {
      const started = await Promise.all(sides.map((side) => postJson<Started>("/v1/runs", requestOf(side))));
      const [a, b] = started.map(({ id }) => id);
      if (b) go(["side"], { left: a, right: b });
      else go(["runs", a!]);
    } catch (error) {
      setProblem(error as ApiProblem);
      setSending(false);
    }
  };
  const requestOf = ({ model, options }: Side) => ({
    model,
    messages: [{ role: "user", content: text }],
    temperature: Number(temperature),
    seed: Number(seed),
    ...(maxTokens && { max_tokens: Number(maxTokens) }),
    stepwright: { ...(Object.keys(options).length > 0 && { options }) },
  });
  return (
    <div class="page narrow">
      <h1>Ask</h1>
      {models.problem && <Problem problem={models.problem} />}
      {models.value && presets.length === 0 && (
        <p class="notice open">
          This studio was started without models: it shows what is recorded.{" "}
          <code>stepwright studio --draft M --target M</code> answers questions, too.
        </p>
      )}
      <form class="ask" onSubmit={send}>
        <label class="field question">
          <span class="unseen">Question</span>
          <textarea
            rows={4}
            dir="auto"
            placeholder="A question …"
            value={text}
            onInput={({ currentTarget }) => setQuestion(currentTarget.value)}
            onKeyDown={(event) => (event.metaKey || event.ctrlKey) && event.key === "Enter" && send(event)}
          />
        </label>
        {one && (
          <div class={right ? "sides two" : "sides"}>
            <SideForm name={right ? "left" : "method"} side={one} presets={presets} onChange={setLeft} />
            {right && <SideForm name="right" side={right} presets={presets} onChange={setRight} />}
          </div>
        )}
        <details class="more-options">
          <summary>Sampling and length</summary>
          <div class="option-form">
            <Figure
              id="temperature"
              words="temperature"
              value={temperature}
              step="0.1"
              onChange={setTemperature}
              help="0 takes the likeliest token each time"
            />
            <Figure
              id="seed"
              words="seed"
              value={seed}
              step="1"
              onChange={setSeed}
              help="the same seed gives the same answer"
            />
            <Figure
              id="length"
              words="greatest length"
              value={maxTokens}
              step="1"
              onChange={setMaxTokens}
              help="in tokens; empty: the server's"
            />
          </div>
        </details>
        {problem && <Problem problem={problem} />}
        <div class="ask-actions">
          <button type="submit" class="primary" disabled={!one || text.trim() === "" || sending}>
            {sending ? "asking …" : right ? "Ask both" : "Ask"}
          </button>
          <span class="soft key-hint">Ctrl Enter</span>
          {one && (
            <button
              type="button"
              class="quiet"
              onClick={() => setRight(right ? null : { model: other(presets, one.model), options: {} })}
            >
              {right ? "only one" : "and another method beside it"}
            </button>
          )}
        </div>
      </form>
    </div>
  );
}

function Figure({
  id,
  words,
  value,
  step,
  help,
  onChange,
}: {
  id: string;
  words: string;
  value: string;
  step: string;
  help: string;
  onChange(value: string): void;
}) {
  return (
    <div class="field">
      <label for={id}>{words}</label>
      <input
        id={id}
        type="number"
        min="0"
        step={step}
        value={value}
        aria-describedby={`${id}-help`}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <p class="soft" id={`${id}-help`}>
        {help}
      </p>
    </div>
  );
}

function other(presets: readonly ServedModel[], model: string): string {
  return (
    presets.find(({ id, stepwright }) => id !== model && stepwright?.method === "target") ??
    presets.find(({ id }) => id !== model) ??
    presets[0]!
  ).id;
}

function optionsOf(json: string | null): Options | null {
  try {
    const found: unknown = JSON.parse(json ?? "null");
    return typeof found === "object" && !Array.isArray(found) ? (found as Options | null) : null;
  } catch {
    return null;
  }
}

/** Those that are not what the preset has anyway. */
function unusual(options: Options, { stepwright }: ServedModel): Options {
  const fields = stepwright?.options.properties ?? {};
  const usual = (name: string) => stepwright?.defaults?.[name] ?? fields[name]?.default;
  return Object.fromEntries(
    Object.entries(options).filter(
      ([name, value]) => name in fields && JSON.stringify(value) !== JSON.stringify(usual(name)),
    ),
  );
}

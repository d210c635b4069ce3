import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Answer, Decision, Question, Source, SourceState, Supposition } from "./protocol.js";
import type { EventRow, RunView, TreeNode, Wanted } from "./views.js";

export interface Reading {
  readonly state: SourceState;
  readonly view: RunView | null;
  readonly records: number;
  readonly share: number | null;
  readonly tops: readonly TreeNode[] | null;
  readonly rows: { readonly rows: readonly EventRow[]; readonly count: number } | null;
  readonly options: {
    readonly schema: Readonly<Record<string, unknown>> | null;
    readonly options: Readonly<Record<string, unknown>>;
    readonly decisions: readonly Decision[];
    readonly problem: string | null;
  } | null;
  readonly supposition: Supposition | null;
  ask(question: Question): void;
}

const nothing = {
  view: null,
  records: 0,
  share: null,
  tops: null,
  rows: null,
  options: null,
  supposition: null,
};

/** A run, read by a worker of its own for as long as the component stands. */
export function useRun(source: Source, wanted: Wanted): Reading {
  const [reading, setReading] = useState<Omit<Reading, "ask">>({ state: { kind: "reading" }, ...nothing });
  const worker = useRef<Worker | null>(null);
  const name = source.kind === "file" ? source.file : `${source.kind}/${source.id}`;
  useEffect(() => {
    const own = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "reader" });
    worker.current = own;
    setReading({ state: { kind: "reading" }, ...nothing });
    own.onmessage = ({ data }: MessageEvent<Answer>) => setReading((before) => merged(before, data));
    own.onerror = () =>
      setReading((before) => ({
        ...before,
        state: { kind: "refused", message: "the reader of this run failed", remedy: "load the page again" },
      }));
    own.postMessage({ ask: "open", source } satisfies Question);
    return () => own.terminate();
  }, [name]);
  const { from, count, tokens } = wanted;
  useEffect(() => {
    worker.current?.postMessage({ ask: "want", wanted: { from, count, tokens } } satisfies Question);
  }, [name, from, count, tokens]);
  const ask = useMemo(() => (question: Question) => worker.current?.postMessage(question), []);
  return { ...reading, ask };
}

function merged(before: Omit<Reading, "ask">, answer: Answer): Omit<Reading, "ask"> {
  switch (answer.tell) {
    case "view": {
      const { state, view, records, share } = answer;
      return { ...before, state, view, records, share };
    }
    case "tree":
      return { ...before, tops: answer.tops };
    case "events":
      return { ...before, rows: { rows: answer.rows, count: answer.count } };
    case "options":
      return {
        ...before,
        options: answer,
      };
    case "what-if":
      return { ...before, supposition: answer.supposition };
  }
}

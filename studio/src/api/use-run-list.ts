/** All runs that can be shown: those of the server, and the trace files that it was started with, newest first. */
import { linkTo } from "../route.js";
import type { ApiProblem } from "./client.js";
import type { RunSummary, TraceEntry } from "./types.js";
import { useJson } from "./use-json.js";

export interface RunEntry {
  /** Names it in an address: the id of a run, "trace:ID" for a file. */
  readonly name: string;
  readonly link: string;
  readonly question: string;
  readonly method: string;
  /** How it ended, where it has; else what the server calls it. */
  readonly status: string;
  /** Unix seconds. */
  readonly when: number;
  readonly answer: string;
  readonly flops: number | null;
  readonly seconds: number | null;
  readonly file: { readonly name: string; readonly bytes: number } | null;
}

export interface RunList {
  readonly entries: readonly RunEntry[];
  readonly loaded: boolean;
  readonly problem: ApiProblem | null;
}

const mostRuns = 500;

export function useRunList(everySeconds?: number): RunList {
  const runs = useJson<{ data: readonly RunSummary[] }>(`/v1/runs?limit=${mostRuns}`, everySeconds);
  const files = useJson<{ traces: readonly TraceEntry[] }>("/studio/files", everySeconds);
  const entries = [...(runs.value?.data ?? []).map(ofRun), ...(files.value?.traces ?? []).map(ofTrace)];
  return {
    entries: entries.sort((a, b) => b.when - a.when),
    loaded: runs.value !== null && files.value !== null,
    problem: runs.problem ?? files.problem,
  };
}

function ofRun({
  id,
  method,
  question,
  status,
  created,
  finish,
  answer,
  flops,
  seconds,
}: RunSummary): RunEntry {
  return {
    name: id,
    link: linkTo(["runs", id]),
    question,
    method,
    status: status === "finished" ? (finish ?? status) : status,
    when: created,
    answer: answer ?? "",
    flops: flops ?? null,
    seconds: seconds ?? null,
    file: null,
  };
}

function ofTrace({
  id,
  name,
  bytes,
  modified,
  method,
  question,
  finish,
  flops,
  seconds,
}: TraceEntry): RunEntry {
  return {
    name: `trace:${id}`,
    link: linkTo(["traces", id]),
    question: question ?? name,
    method: method ?? "trace",
    status: finish ?? "unknown",
    when: modified,
    answer: "",
    flops: flops ?? null,
    seconds: seconds ?? null,
    file: { name, bytes },
  };
}

import { useCallback, useEffect, useState } from "preact/hooks";
import { type ApiProblem, getJson } from "./client.js";

export interface Loaded<Value> {
  readonly value: Value | null;
  readonly problem: ApiProblem | null;
  reload(): void;
}

/** The answer to a GET, asked again every `everySeconds` and when the page is looked at again. The last one stays while it is. */
export function useJson<Value>(path: string | null, everySeconds?: number): Loaded<Value> {
  const [value, setValue] = useState<Value | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  useEffect(() => setValue(null), [path]);
  useEffect(() => {
    if (path === null) return;
    const controller = new AbortController();
    getJson<Value>(path, controller.signal).then(
      (found) => {
        setValue(found);
        setProblem(null);
      },
      (error) => {
        if (!controller.signal.aborted) setProblem(error);
      },
    );
    return () => controller.abort();
  }, [path, turn]);
  useEffect(() => {
    const wait = problem ? 3 : everySeconds;
    const timer =
      wait === undefined ? undefined : setInterval(() => !document.hidden && reload(), wait * 1000);
    const look = () => !document.hidden && reload();
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [everySeconds, problem, reload]);
  return { value, problem, reload };
}

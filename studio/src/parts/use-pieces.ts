/** The texts of tokens, asked of the model that knows them; where none does, there are none. */
import { useEffect, useRef, useState } from "preact/hooks";
import { postJson } from "../api/client.js";
import type { RunView } from "../reading/views.js";

const none: ReadonlyMap<string, string> = new Map();

export function usePieces(view: RunView | null): ReadonlyMap<string, string> {
  const [pieces, setPieces] = useState(none);
  const asked = useRef(new Set<string>());
  useEffect(() => {
    if (!view?.started) return;
    const missing = new Map<string, number[]>();
    for (const { origin, tokenFacts } of view.steps) {
      if (!tokenFacts) continue;
      const role = origin === "target" || !view.started.roles.draft ? "target" : "draft";
      for (const id of tokenFacts.ids) {
        const key = `${tokenFacts.vocabulary}/${id}`;
        if (asked.current.has(key)) continue;
        asked.current.add(key);
        const own = missing.get(`${role}/${tokenFacts.vocabulary}`) ?? [];
        own.push(id);
        missing.set(`${role}/${tokenFacts.vocabulary}`, own);
      }
    }
    for (const [place, ids] of missing) {
      const slash = place.indexOf("/");
      const [model, vocabulary] = [place.slice(0, slash), place.slice(slash + 1)];
      postJson<{ vocabulary?: string; pieces?: readonly string[] }>("/v1/detokenize", {
        model,
        tokens: ids,
        pieces: true,
      }).then(
        ({ vocabulary: known, pieces: found }) => {
          // A model of the same name may be another one by now.
          if (known !== vocabulary || found?.length !== ids.length) return;
          setPieces(
            (before) =>
              new Map([
                ...before,
                ...ids.map((id, index): [string, string] => [`${vocabulary}/${id}`, found[index]!]),
              ]),
          );
        },
        // Without the model the figures are shown alone.
        () => {},
      );
    }
  }, [view]);
  return pieces;
}

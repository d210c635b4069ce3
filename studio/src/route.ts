/** Every view is an address: the part after "#" names it, so that it can be kept, sent and gone back to. */
import { useEffect, useState } from "preact/hooks";

export interface Route {
  /** As in ["runs", ID, "tree"]. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

export function routeOf(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { parts: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

export function linkTo(
  parts: readonly string[],
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const search = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  return `#/${parts.map(encodeURIComponent).join("/")}${search}`;
}

export function go(parts: readonly string[], query?: Readonly<Record<string, string | undefined>>): void {
  location.hash = linkTo(parts, query);
}

/** Changes the address without a new entry in the history: for filters and sliders. */
export function adjust(parts: readonly string[], query: Readonly<Record<string, string | undefined>>): void {
  history.replaceState(null, "", linkTo(parts, query));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const change = () => setHash(location.hash);
    addEventListener("hashchange", change);
    return () => removeEventListener("hashchange", change);
  }, []);
  return routeOf(hash);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

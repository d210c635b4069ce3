/** What the keys do, wherever nobody is writing. */
import { go } from "./route.js";

export const keyHelp: readonly (readonly [keys: string, words: string])[] = [
  ["Ctrl K or ⌘ K", "go to a page or a run by its name"],
  ["g a, g r, g s, g b", "ask, runs, side by side, benches"],
  ["j, k", "next and previous step or row; Enter opens it"],
  ["1 to 5", "the tabs of a run: steps, tokens, tree, replay, records"],
  ["/", "the filter of a list"],
  ["t", "light, dark, or as the system has it"],
  ["arrows", "walk through a tree"],
  ["?", "this page"],
];

const pages: Readonly<Record<string, string>> = { a: "ask", r: "runs", s: "side", b: "benches" };
let afterG = false;

export function pressed(event: KeyboardEvent, actions: { palette(): void; theme(): void }): void {
  const isCommand = event.ctrlKey || event.metaKey;
  if (isCommand && event.key.toLowerCase() === "k") {
    event.preventDefault();
    actions.palette();
  } else if (!isCommand && !event.altKey && !isWriting(event.target as HTMLElement))
    act(event, actions.theme);
}

function act(event: KeyboardEvent, theme: () => void): void {
  const page = afterG ? pages[event.key] : undefined;
  afterG = event.key === "g";
  if (page) go([page]);
  else if (event.key === "?") go(["keys"]);
  else if (event.key === "t") theme();
  else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  else if (event.key === "/") filter(event);
  else if (/^[1-5]$/.test(event.key)) {
    document.querySelectorAll<HTMLElement>("[data-tab]")[Number(event.key) - 1]?.click();
  }
}

function isWriting(at: HTMLElement): boolean {
  return /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) || at.closest("dialog") !== null;
}

function filter(event: KeyboardEvent): void {
  const field = document.querySelector<HTMLElement>("[data-filter]");
  if (!field) return;
  event.preventDefault();
  field.focus();
}

function step(by: number): void {
  const items = [...document.querySelectorAll<HTMLElement>("[data-item]")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next = items[at < 0 ? (by > 0 ? 0 : items.length - 1) : at + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

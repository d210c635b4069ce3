/** Everything by its name: Ctrl-K or Cmd-K. */
import type { TargetedKeyboardEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useRunList } from "../api/use-run-list.js";
import { linkTo } from "../route.js";
import { visible } from "../words.js";

interface Entry {
  readonly words: string;
  readonly hint: string;
  readonly link: string;
}

const places: readonly Entry[] = [
  { words: "Ask a question", hint: "g a", link: linkTo(["ask"]) },
  { words: "Runs", hint: "g r", link: linkTo(["runs"]) },
  { words: "Side by side", hint: "g s", link: linkTo(["side"]) },
  { words: "Benches", hint: "g b", link: linkTo(["benches"]) },
  { words: "Keys", hint: "?", link: linkTo(["keys"]) },
];

const mostShown = 12;

export function Palette({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const { entries: runs } = useRunList();
  useEffect(() => dialog.current?.showModal(), []);
  const entries: Entry[] = [
    ...places,
    ...runs.map(({ question, file, method, link }) => ({
      words: visible(file?.name ?? question),
      hint: method,
      link,
    })),
  ];
  const found = (text: string) => {
    const wanted = text.toLowerCase().split(/\s+/);
    return entries
      .filter(({ words, hint }) => wanted.every((part) => `${words} ${hint}`.toLowerCase().includes(part)))
      .slice(0, mostShown);
  };
  const shown = found(text);
  const chosen = shown[Math.min(at, shown.length - 1)];
  const key = (event: TargetedKeyboardEvent<HTMLInputElement>) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      event.preventDefault();
      setAt(Math.max(0, Math.min(shown.length - 1, at + move)));
    }
    if (event.key === "Enter") {
      // What stands in the field counts: a quick hand is ahead of the list.
      const typed = event.currentTarget.value;
      const entry = typed === text ? chosen : found(typed)[0];
      if (!entry) return;
      location.hash = entry.link;
      onClose();
    }
  };
  return (
    <dialog class="palette" ref={dialog} onClose={onClose} aria-label="Go to">
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-entries"
        aria-activedescendant={chosen ? "palette-chosen" : undefined}
        aria-label="Go to"
        placeholder="Go to a page or a run …"
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          setAt(0);
        }}
        onKeyDown={key}
      />
      <div id="palette-entries" role="listbox" aria-label="Places">
        {shown.map((entry) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the text field keeps the focus, as in every combobox
          // biome-ignore lint/a11y/useKeyWithClickEvents: the text field hears the keys
          <div
            key={entry.link}
            role="option"
            id={entry === chosen ? "palette-chosen" : undefined}
            aria-selected={entry === chosen}
            onClick={() => {
              location.hash = entry.link;
              onClose();
            }}
          >
            <span class="palette-words">{entry.words}</span>
            <span class="soft">{entry.hint}</span>
          </div>
        ))}
      </div>
      {shown.length === 0 && <p class="soft palette-none">Nothing has this name.</p>}
    </dialog>
  );
}

/** Every record of the run. Only those in sight are in the page, so that a million of them scroll like ten. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Reading } from "../reading/use-run.js";
import { visible } from "../words.js";

const rowHeight = 34;
/** Browsers have no room for a taller page: beyond it, a stroke of the wheel passes more rows. */
const tallest = 8_000_000;
const inSight = 60;

export function EventList({ reading }: { readonly reading: Reading }) {
  const { records, rows, ask } = reading;
  const box = useRef<HTMLDivElement>(null);
  /** Where the box is scrolled to, and the row at its upper edge, with its fraction. */
  const [place, setPlace] = useState({ top: 0, row: 0 });
  const [open, setOpen] = useState<number | null>(null);
  const height = Math.min(records * rowHeight, tallest);
  const from = Math.max(0, Math.floor(place.row) - 15);
  useEffect(() => ask({ ask: "events", from, count: inSight }), [ask, from, records]);
  const scroll = () => {
    const { scrollTop: top, clientHeight } = box.current!;
    const way = Math.max(1, height - clientHeight);
    setPlace({ top, row: (top / way) * Math.max(0, records - clientHeight / rowHeight) });
  };
  const opened = rows?.rows.find(({ index }) => index === open);
  return (
    <div class="event-view">
      <p class="soft">{records.toLocaleString("en")} records. A click shows one in full.</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keys */}
      <section class="event-scroll" aria-label="Records" ref={box} onScroll={scroll} tabIndex={0}>
        <div style={{ height: `${height}px` }}>
          {rows?.rows.map((row) => (
            <button
              type="button"
              key={row.index}
              class={`event-row ${row.index === open ? "open" : ""}`}
              style={{ top: `${place.top + (row.index - place.row) * rowHeight}px` }}
              onClick={() => setOpen(row.index === open ? null : row.index)}
            >
              <span class="event-index">{row.index}</span>
              <span class="event-type">{row.type}</span>
              <span class="event-node">{row.node}</span>
              <span class="event-json">{visible(row.json.slice(0, 160))}</span>
            </button>
          ))}
        </div>
      </section>
      {opened && <pre class="panel event-open">{pretty(opened.json)}</pre>}
    </div>
  );
}

function pretty(json: string): string {
  try {
    return visible(JSON.stringify(JSON.parse(json), null, 2));
  } catch {
    return visible(json);
  }
}

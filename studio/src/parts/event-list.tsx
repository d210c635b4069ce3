/** Every record of the run. Only those in sight are in the page, so that a million of them scroll like ten. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Reading } from "../reading/use-run.js";
import { visible } from "../words.js";

const rowHeight = 34;
/** Browsers have no room for a taller page: beyond it, scrolling goes in larger strides. */
const tallest = 8_000_000;
const inSight = 60;

export function EventList({ reading }: { readonly reading: Reading }) {
  const { records, rows, ask } = reading;
  const box = useRef<HTMLDivElement>(null);
  const [from, setFrom] = useState(0);
  const [open, setOpen] = useState<number | null>(null);
  const height = Math.min(records * rowHeight, tallest);
  const stride = records > 0 ? height / records : rowHeight;
  useEffect(() => ask({ ask: "events", from, count: inSight }), [ask, from, records]);
  const scroll = () => {
    const top = box.current?.scrollTop ?? 0;
    setFrom(Math.max(0, Math.min(records - 1, Math.floor(top / stride) - 10)));
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
              style={{ top: `${row.index * stride}px` }}
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

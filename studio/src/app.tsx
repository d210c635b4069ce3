import { useEffect, useRef, useState } from "preact/hooks";
import { pressed } from "./keys.js";
import { Ask } from "./pages/ask.js";
import { Bench } from "./pages/bench.js";
import { Benches } from "./pages/benches.js";
import { Compare } from "./pages/compare.js";
import { Keys } from "./pages/keys.js";
import { RunPage } from "./pages/run.js";
import { Runs } from "./pages/runs.js";
import { Side } from "./pages/side.js";
import { Palette } from "./parts/palette.js";
import { type Route, useRoute } from "./route.js";
import { type Theme, useTheme } from "./theme.js";

const themeWords: Readonly<Record<Theme, string>> = { system: "as the system", light: "light", dark: "dark" };

const titles: Readonly<Record<string, string>> = {
  ask: "Ask",
  runs: "Runs",
  traces: "Traces",
  file: "A trace",
  side: "Side by side",
  benches: "Benches",
  compare: "Compare",
  keys: "Keys",
};

export function App() {
  const route = useRoute();
  const [theme, nextTheme] = useTheme();
  const [palette, setPalette] = useState(false);
  const [dropped, setDropped] = useState<File | null>(null);
  const main = useRef<HTMLElement>(null);
  const [page = "runs"] = route.parts;
  const place = route.parts.slice(0, 2).join("/");
  useEffect(() => {
    const key = (event: KeyboardEvent) =>
      pressed(event, { palette: () => setPalette(true), theme: nextTheme });
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [nextTheme]);
  useEffect(() => {
    scrollTo(0, 0);
    document.title = titles[page] ? `${titles[page]} · stepwright` : "stepwright studio";
  }, [place]);
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) open(file);
    };
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
    };
  }, []);
  const open = (file: File) => {
    setDropped(file);
    location.hash = "#/file";
  };
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        to the content
      </button>
      <header class="bar">
        <a class="wordmark" href="#/runs" aria-label="stepwright, list of runs">
          <Logo />
          stepwright
        </a>
        <nav aria-label="Pages">
          <PageLink page={page} to="ask" words="Ask" />
          <PageLink page={page} to="runs" words="Runs" also={["traces", "file"]} />
          <PageLink page={page} to="side" words="Side by side" />
          <PageLink page={page} to="benches" words="Benches" also={["compare"]} />
        </nav>
        <div class="bar-tools">
          <button
            type="button"
            class="tool"
            onClick={() => setPalette(true)}
            aria-label="Go to (Ctrl K)"
            title="Go to (Ctrl K)"
          >
            <svg viewBox="0 0 20 20" aria-hidden="true">
              <circle cx="8.5" cy="8.5" r="5" />
              <path d="m12.5 12.5 5 5" />
            </svg>
          </button>
          <button
            type="button"
            class="tool"
            onClick={nextTheme}
            aria-label={`Theme: ${themeWords[theme]}`}
            title={`Theme: ${themeWords[theme]}`}
          >
            <svg viewBox="0 0 20 20" aria-hidden="true">
              <circle cx="10" cy="10" r="6.5" />
              <path class="solid" d="M10 3.5a6.5 6.5 0 0 1 0 13Z" />
            </svg>
          </button>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Page route={route} page={page} dropped={dropped} onFile={open} />
      </main>
      {palette && <Palette onClose={() => setPalette(false)} />}
    </>
  );
}

interface PageProps {
  readonly route: Route;
  readonly page: string;
  readonly dropped: File | null;
  onFile(file: File): void;
}

function Page({ route, page, dropped, onFile }: PageProps) {
  const [, id, tab] = route.parts;
  switch (page) {
    case "ask":
      return <Ask query={route.query} />;
    case "runs":
      if (id)
        return (
          <RunPage key={id} source={{ kind: "run", id }} base={["runs", id]} tab={tab} query={route.query} />
        );
      return <Runs query={route.query} onFile={onFile} />;
    case "traces":
      if (id)
        return (
          <RunPage
            key={id}
            source={{ kind: "trace", id }}
            base={["traces", id]}
            tab={tab}
            query={route.query}
          />
        );
      return <Runs query={route.query} onFile={onFile} />;
    case "file":
      if (dropped)
        return (
          <RunPage
            key="file"
            source={{ kind: "file", file: dropped }}
            base={["file", "-"]}
            tab={tab}
            query={route.query}
          />
        );
      return <Runs query={route.query} onFile={onFile} />;
    case "side":
      return <Side query={route.query} />;
    case "benches":
      return id ? <Bench key={id} id={id} /> : <Benches />;
    case "compare":
      return <Compare query={route.query} />;
    case "keys":
      return <Keys />;
    default:
      return (
        <div class="page">
          <h1>Nothing here</h1>
          <p class="soft">
            No page has this address. <a href="#/runs">To the runs</a>
          </p>
        </div>
      );
  }
}

function PageLink({
  page,
  to,
  words,
  also = [],
}: {
  page: string;
  to: string;
  words: string;
  also?: readonly string[];
}) {
  const isHere = page === to || also.includes(page);
  return (
    <a href={`#/${to}`} aria-current={isHere ? "page" : undefined}>
      {words}
    </a>
  );
}

function Logo() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <rect width="32" height="32" rx="7" class="logo-ground" />
      <path d="M6 24h6v-6h6v-6h6V7" class="logo-steps" />
    </svg>
  );
}

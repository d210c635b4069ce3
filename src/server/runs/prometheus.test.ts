import { expect, test } from "vitest";
import { Counter, exposition, Gauge, Histogram } from "./prometheus.js";

test("the text is that of the exposition format", () => {
  const counter = new Counter("things_total", "things seen");
  counter.add(2, { kind: 'a "quoted" \\ name' });
  counter.add(1, { kind: 'a "quoted" \\ name' });
  const histogram = new Histogram("times_seconds", "times", [0.1, 1]);
  for (const value of [0.1, 0.5, 7]) histogram.observe(value);
  const gauge = new Gauge("level", "now", () => [[{}, 3]]);
  expect(exposition([counter, gauge, histogram])).toBe(`# HELP things_total things seen
# TYPE things_total counter
things_total{kind="a \\"quoted\\" \\\\ name"} 3
# HELP level now
# TYPE level gauge
level 3
# HELP times_seconds times
# TYPE times_seconds histogram
times_seconds_bucket{le="0.1"} 1
times_seconds_bucket{le="1"} 2
times_seconds_bucket{le="+Inf"} 3
times_seconds_sum 7.6
times_seconds_count 3
`);
});

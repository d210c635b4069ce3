import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import rsd from "../methods/rsd.js";
import { toyQuestion, toyWorld } from "../testing/toy-world.js";
import { crc32 } from "./crc32.js";
import { StepwrightError } from "./errors.js";
import { startRun } from "./run.js";
import { encodeLine, parseTrace, TraceReader } from "./trace.js";
import { type TraceEvent, traceVersion } from "./trace-event.js";

const events = await (async () => {
  const { roles } = toyWorld(rsd);
  const kept: TraceEvent[] = [];
  const run = startRun({
    method: rsd,
    question: `${toyQuestion} — 数`,
    roles,
    seed: 2,
    sampling: { temperature: 1 },
  });
  for await (const event of run) if (event.type !== "text-written") kept.push(event);
  return kept;
})();
const lines = events.map((event, index) => Buffer.from(encodeLine(event, index)));
const whole = Buffer.concat(lines);

function problemOf(bytes: Uint8Array): StepwrightError {
  try {
    parseTrace(bytes);
  } catch (error) {
    if (StepwrightError.is(error)) return error as StepwrightError;
  }
  throw new Error("was read without complaint");
}

test("what was written is what is read", () => {
  expect(parseTrace(whole)).toEqual({ events, notices: [], goodBytes: whole.length });
  expect(JSON.parse(lines[1]!.toString())).toMatchObject({ index: 1, record: { type: events[1]!.type } });
});

test("lines say their record's length and CRC-32", () => {
  expect(crc32(Buffer.from("123456789"))).toBe(0xcbf43926);
  for (const line of lines) {
    const { length, checksum, record } = JSON.parse(line.toString());
    const bytes = Buffer.from(JSON.stringify(record));
    expect(bytes.length).toBe(length);
    // Newer Nodes have their own, to compare with.
    if (zlibCrc32) expect(Number.parseInt(checksum, 16)).toBe(zlibCrc32(bytes));
  }
});

test("pieces of any size are read alike", () => {
  for (const size of [1, 2, 7, 100, 1e6]) {
    const reader = new TraceReader();
    for (let at = 0; at < whole.length; at += size) reader.push(whole.subarray(at, at + size));
    expect(reader.end().events).toEqual(events);
  }
});

describe("case 83", () => {
  test("a torn end is dropped with a notice, wherever it was torn", () => {
    let end = 0;
    const ends = lines.map((line) => {
      end += line.length;
      return end;
    });
    for (let cut = lines[0]!.length; cut < whole.length; cut++) {
      const { events: read, notices, goodBytes } = parseTrace(whole.subarray(0, cut));
      const good = ends.filter((at) => at <= cut).length;
      expect(read.length).toBe(good);
      expect(goodBytes).toBe(ends[good - 1]);
      expect(notices.length).toBe(goodBytes === cut ? 0 : 1);
    }
  });

  test("a torn end of zeros or rubbish over several lines is dropped too", () => {
    for (const rubbish of [Buffer.alloc(5000), Buffer.from("\n\n{}\nnonsense\n"), lines[3]!.subarray(4)]) {
      const { events: read, notices } = parseTrace(Buffer.concat([whole, rubbish]));
      expect(read).toEqual(events);
      expect(notices).toHaveLength(1);
    }
  });

  test("a doubled line is dropped with a notice", () => {
    for (let index = 0; index < lines.length; index++) {
      const doubled = [...lines.slice(0, index + 1), lines[index]!, ...lines.slice(index + 1)];
      const { events: read, notices, goodBytes } = parseTrace(Buffer.concat(doubled));
      expect(read).toEqual(events);
      expect(notices).toEqual([`dropped line ${index + 2}, which doubles record ${index}`]);
      expect(goodBytes).toBe(whole.length + lines[index]!.length);
    }
  });

  test("moved, missing and damaged lines in the middle are refused with what to do", () => {
    const swapped = [lines[0]!, lines[2]!, lines[1]!, ...lines.slice(3)];
    const missing = [lines[0]!, ...lines.slice(2)];
    const damaged = lines.map((line, index) =>
      index === 2 ? Buffer.from(line.toString().replace('"node"', '"nude"')) : line,
    );
    const inserted = [...lines.slice(0, 2), Buffer.from("rubbish\n"), ...lines.slice(2)];
    const rewritten = [...lines.slice(0, 4), Buffer.from(encodeLine(events[2]!, 1)), ...lines.slice(4)];
    for (const bad of [swapped, missing, damaged, inserted, rewritten]) {
      const error = problemOf(Buffer.concat(bad));
      expect(error.code).toBe("trace-invalid");
      expect(error.remedy).toBeTruthy();
    }
  });

  test("a newer version is refused with advice", () => {
    const newer = encodeLine({ ...events[0]!, version: traceVersion + 1 } as unknown as TraceEvent, 0);
    expect(problemOf(newer).message).toContain(`version ${traceVersion + 1}`);
    expect(problemOf(newer).remedy).toContain("newer version of stepwright");
  });

  test("a checksummed record that is no event is refused", () => {
    const forged = [
      { type: "step-written", node: "0" },
      { type: "unheard-of" },
      { ...events.find((event) => event.type === "step-scored")!, value: 7 },
      null,
    ];
    for (const record of forged) {
      const line = encodeLine(record as unknown as TraceEvent, 1);
      expect(problemOf(Buffer.concat([lines[0]!, line])).code).toBe("trace-invalid");
    }
  });

  test("a line without end is refused before it fills the memory", () => {
    const reader = new TraceReader();
    reader.push(lines[0]!);
    const chunk = new Uint8Array(1 << 20).fill(0x61);
    expect(() => {
      for (let count = 0; count < 64; count++) reader.push(chunk);
    }).toThrow("longer than any record");
  });

  test("nothing, and something else, are refused", () => {
    expect(problemOf(new Uint8Array()).code).toBe("trace-invalid");
    expect(problemOf(Buffer.from('{"a":1}\n')).code).toBe("trace-invalid");
  });

  test("no change of a byte goes unnoticed", () => {
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(whole);
        changed[at]! ^= flip;
        let read: readonly TraceEvent[];
        try {
          read = parseTrace(changed).events;
        } catch (error) {
          expect(StepwrightError.is(error, "trace-invalid")).toBe(true);
          return;
        }
        // Whatever is still read is a true beginning.
        expect(read).toEqual(events.slice(0, read.length));
        expect(read.length).toBeLessThan(events.length);
      }),
      { numRuns: 500 },
    );
  });
});

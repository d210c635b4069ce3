import { describe, expect, it } from "vitest";
import { GrowingStep } from "./growing-step.js";
import { blankLine } from "./step.js";

const token = { token: 1, logprob: -1, entropy: 5 };

describe("GrowingStep", () => {
  it("pauses at no place within a character", () => {
    const step = new GrowingStep({ splitter: { kind: "entropy", limit: 0 }, maxTokens: 100 });
    const pauses = [..."aé€😀b"].flatMap((character) =>
      [...Buffer.from(character)].map((byte) => {
        step.add(token, Uint8Array.of(byte), false);
        return step.pausesAt(token.entropy);
      }),
    );
    const firsts = [1, 2, 3, 4, 1].flatMap((length) => [...Array(length - 1).fill(false), true]);
    expect(pauses).toEqual(firsts);
    expect(step.text).toBe("aé€😀b");
  });

  it("says why it is over", () => {
    const grow = (text: string, maxTokens: number) => {
      const step = new GrowingStep({ splitter: blankLine, maxTokens });
      return [...Buffer.from(text)].map((byte) => step.add(token, Uint8Array.of(byte), false)).at(-1);
    };
    expect(grow("ab\n\n", 9)).toBe("delimiter");
    expect(grow("ab", 2)).toBe("cap");
    expect(grow("ab", 9)).toBeNull();
    expect(new GrowingStep({ splitter: blankLine, maxTokens: 9 }).add(token, Uint8Array.of(), true)).toBe(
      "end",
    );
  });

  it("goes on from what a step holds already", () => {
    const splitter = { kind: "resumed", splitter: blankLine, text: "a\n", tokens: 2 } as const;
    const step = new GrowingStep({ splitter, maxTokens: 9 });
    expect(step.add(token, Buffer.from("\n"), false)).toBe("delimiter");
    const counted = {
      kind: "resumed",
      splitter: { kind: "tokens", count: 4 },
      text: "ab",
      tokens: 2,
    } as const;
    const other = new GrowingStep({ splitter: counted, maxTokens: 9 });
    expect(other.add(token, Buffer.from("c"), false)).toBeNull();
    expect(other.add(token, Buffer.from("d"), false)).toBe("delimiter");
    const paused = {
      kind: "resumed",
      splitter: { kind: "entropy", limit: 1 },
      text: "a",
      tokens: 1,
    } as const;
    expect(new GrowingStep({ splitter: paused, maxTokens: 9 }).pausesAt(2)).toBe(true);
  });
});

import { describe, expect, it } from "vitest";
import { StepwrightError } from "../core/errors.js";
import { formatModelReference, isSafeFile, parseModelReference } from "./reference.js";

const refusal = (text: string): StepwrightError => {
  try {
    parseModelReference(text);
  } catch (error) {
    if (StepwrightError.is(error, "invalid-option")) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
};

describe("parseModelReference", () => {
  it.each([
    ["model.gguf", { kind: "file", path: "model.gguf" }],
    ["./a b/c", { kind: "file", path: "./a b/c" }],
    ["C:\\models\\a.gguf", { kind: "file", path: "C:\\models\\a.gguf" }],
    ["lab:draft", { kind: "lab", name: "draft" }],
    ["graph:a.gguf", { kind: "graph", model: { kind: "file", path: "a.gguf" } }],
    ["graph:lab:draft", { kind: "graph", model: { kind: "lab", name: "draft" } }],
    [
      "hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF:q4_k_m",
      {
        kind: "hub",
        repository: "Qwen/Qwen2.5-0.5B-Instruct-GGUF",
        revision: "main",
        choice: { quant: "q4_k_m" },
      },
    ],
    [
      "hf:o/r@v1.0/sub/x-00001-of-00002.gguf",
      { kind: "hub", repository: "o/r", revision: "v1.0", choice: { file: "sub/x-00001-of-00002.gguf" } },
    ],
    ["hf:o/r@0123abc:F16", { kind: "hub", repository: "o/r", revision: "0123abc", choice: { quant: "F16" } }],
    [
      "http://localhost:8000/v1#m",
      { kind: "remote", url: "http://localhost:8000/v1", model: "m", options: {} },
    ],
    ["https://h/v1/#org/name%20x", { kind: "remote", url: "https://h/v1", model: "org/name x", options: {} }],
    [
      "http://h/v1?parameters=1.5e9&like=hf:o/r:Q4#m",
      { kind: "remote", url: "http://h/v1", model: "m", options: { parameters: 1.5e9, like: "hf:o/r:Q4" } },
    ],
  ])("takes %s apart", (text, reference) => {
    expect(parseModelReference(text)).toEqual(reference);
  });

  it("spells references so that they parse to the same", () => {
    for (const text of [
      "a.gguf",
      "lab:draft",
      "graph:lab:draft",
      "graph:hf:o/r:Q8_0",
      "hf:o/r@v1/x.gguf",
      "hf:o/r:Q8_0",
      "http://h:1/v1#m",
      "http://h:1/v1?layers=2&width=64#m",
    ]) {
      expect(formatModelReference(parseModelReference(text))).toBe(text);
    }
  });

  it.each([
    ["", /empty/],
    ["qwen", /names no .gguf file/],
    ["a\0.gguf", /control characters/],
    ["hf:owner", /owner\/repository/],
    ["hf:o/r", /names no file/],
    ["hf:o/r/model.bin", /not a .gguf file/],
    ["hf:o/r:", /owner\/repository/],
    ["hf:o/r:Q4 K", /not the name of a quantization/],
    ["hg:o/r:Q4_0", /no kind of model/],
    ["lab:../draft", /one lower-case word/],
    ["graph:http://h/v1#m", /is no file/],
    ["graph:graph:a.gguf", /is no file/],
    ["http://h/v1", /names no model/],
    ["http://h/v1#%", /percent escape/],
    ["http://user:secret@h/v1#m", /name or password/],
    ["http://h/v1?key=1#m", /no option "key"/],
    ["http://h/v1?layers=many#m", /option "layers" is not valid/],
  ])("says what is wrong with %j", (text, message) => {
    expect(refusal(text).message).toMatch(message);
    expect(refusal(text).remedy).toBeTruthy();
  });

  it("suggests the scheme that was meant", () => {
    expect(refusal("hff:o/r:Q4_0").remedy).toBe('did you mean "hf:"?');
  });

  it("lets no hub reference leave its folder", () => {
    for (const text of [
      ...[
        "hf:../r:Q4_0",
        "hf:o/..:Q4_0",
        "hf:./r:Q4_0",
        "hf:o/r@..:Q4_0",
        "hf:o/r@../x:Q4_0",
        "hf:.o/r:Q4_0",
      ],
      ...[
        "hf:o/r/../x.gguf",
        "hf:o/r//x.gguf",
        "hf:o/r/a/../../x.gguf",
        "hf:o/r/.hidden.gguf",
        "hf:o/r/a\\..\\x.gguf",
      ],
      ...[
        "hf:o/r/%2e%2e/x.gguf",
        "hf:o/r/．．/x.gguf",
        "hf:o/r/con.gguf",
        "hf:o/r/C:x.gguf",
        `hf:o/r/${"a".repeat(300)}.gguf`,
      ],
      ...["hf:o/r:..", "hf:o/r:../x", "hf:o..x/../r:Q4", "hf:/o/r:Q4_0", "hf:\\\\server/r:Q4_0"],
    ]) {
      refusal(text);
    }
    expect(isSafeFile("a/b-1.gguf")).toBe(true);
    for (const path of ["", "/a", "a/", "../a", "a/./b", "a\0b", "nul.gguf"])
      expect(isSafeFile(path)).toBe(false);
  });
});

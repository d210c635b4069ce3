/** Case 85: data files as they come. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorOf } from "../testing/bench-world.js";
import { isTaskFile, readLocalQuestion } from "./local-task.js";
import { readQuestions } from "./questions.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-questions-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(text: string | Uint8Array, name = "data.jsonl") {
  const path = join(folder, name);
  await writeFile(path, text);
  return readQuestions(path, { readQuestion: readLocalQuestion });
}

const good = '{"id": "a", "question": "2 + 2?", "answer": "4"}';

describe("a local file", () => {
  test("gives its questions in order; the line is the id where there is none", async () => {
    const { questions, problems } = await read(`${good}\n{"problem": "3 + 3?", "answer": 6}\n`);
    expect(questions).toEqual([
      { id: "a", question: "2 + 2?", reference: "4" },
      { id: "line-2", question: "3 + 3?", reference: "6" },
    ]);
    expect(problems).toEqual([]);
  });

  test("may begin with a byte order mark, end lines with CRLF, hold blank lines and no last line break", async () => {
    const { questions, problems } = await read(`\ufeff${good}\r\n\r\n{"id":"b","question":"q","answer":"1"}`);
    expect(questions.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(problems).toEqual([]);
  });

  test("is reported by line where a line cannot be used, and the rest is read", async () => {
    const lines = [
      good,
      '{"id": "b", "question": "no answer?"}',
      '{"id": "c", "answer": "4"}',
      "not JSON",
      "[1, 2]",
      '{"id": "a", "question": "again?", "answer": "5"}',
      `{"id": "d", "question": "${"x".repeat(10 * 2 ** 20)}", "answer": "5"}`,
      '{"id": "e", "question": "  ", "answer": "5"}',
      '{"id": "f", "question": "last?", "answer": "6"}',
    ];
    const { questions, problems } = await read(lines.join("\n"));
    expect(questions.map(({ id }) => id)).toEqual(["a", "f"]);
    expect(problems).toEqual([
      { line: 2, problem: "has no answer" },
      { line: 3, problem: "has no question" },
      { line: 4, problem: "is not JSON" },
      { line: 5, problem: "holds no JSON object" },
      { line: 6, problem: 'has the id "a" of line 1' },
      { line: 7, problem: expect.stringContaining("is longer than") },
      { line: 8, problem: "has no question" },
    ]);
  });

  test("without any usable question, or missing, is refused with advice", async () => {
    const empty = await errorOf(read(""));
    expect(empty).toMatchObject({ code: "task-invalid" });
    expect(empty.remedy).toContain('"question"');
    expect((await errorOf(read("oops\n"))).message).toContain("line 1 is not JSON");
    const missing = readQuestions(join(folder, "gone.jsonl"), { readQuestion: readLocalQuestion });
    expect((await errorOf(missing)).code).toBe("task-not-found");
    const aFolder = readQuestions(folder, { readQuestion: readLocalQuestion });
    expect((await errorOf(aFolder)).code).toBe("task-not-found");
  });

  test("of any bytes is read or refused, never thrown over", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const lines = Buffer.concat([Buffer.from(`${good}\n`), bytes]);
        expect((await read(lines, "random.jsonl")).questions.length).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });
});

test("names of files and of tasks are told apart", () => {
  for (const name of ["x.jsonl", "./x", "C:\\data\\x.jsonl", "data/x", "x.json"])
    expect(isTaskFile(name)).toBe(true);
  for (const name of ["gsm8k", "gpqa-diamond"]) expect(isTaskFile(name)).toBe(false);
});

describe("other forms of data files", () => {
  test("a JSON array", async () => {
    const { questions, problems } = await read(
      `[${good}, 3, {"id": "b", "problem": "q", "answer": 2}]`,
      "data.json",
    );
    expect(questions.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(problems).toEqual([{ line: 2, problem: "holds no JSON object" }]);
    expect((await errorOf(read("{}", "data.json"))).code).toBe("task-invalid");
    expect((await errorOf(read("[", "data.json"))).code).toBe("task-invalid");
  });

  test("comma-separated values", async () => {
    const text = [
      "\ufeffid,question,answer",
      'a,"What is ""x"", if',
      'x, y = 2, 3?",2',
      "b,plain,3",
      "c,one field too many,4,5",
      "",
      'd,"",6',
    ].join("\r\n");
    const { questions, problems } = await read(text, "data.csv");
    expect(questions).toEqual([
      { id: "a", question: 'What is "x", if\r\nx, y = 2, 3?', reference: "2" },
      { id: "b", question: "plain", reference: "3" },
    ]);
    expect(problems).toEqual([
      { line: 5, problem: "has 4 fields where 3 belong" },
      { line: 7, problem: "has no question" },
    ]);
  });
});

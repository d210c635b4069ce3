import { afterEach, describe, expect, it } from "vitest";
import { closeGrader, Grader, grade, sameAnswer } from "../../src/grade/index.js";
import { endlessAnswer, hostileTexts } from "./hostile-texts.js";

afterEach(closeGrader);

describe("the shared grader", () => {
  it("gives both verdicts and the answer", async () => {
    expect(await grade({ prediction: "\\boxed{50000}", reference: "500", task: "gsm8k" })).toEqual({
      correct: true,
      strict: false,
      extracted: "50000",
    });
    expect(await grade({ prediction: "The answer is (B).", reference: "B", task: "aqua" })).toEqual({
      correct: true,
      strict: true,
      extracted: "B",
    });
  });

  it("compares answers for votes, in either order", async () => {
    for (const [a, b, same] of [
      ["1/2", "0.5", true],
      ["x = 3", "3", true],
      ["3", "300", false],
      ["", "", true],
      ["\\frac{1}{3}", "0.33", false],
    ] as const) {
      expect(await sameAnswer(a, b), `${a} and ${b}`).toBe(same);
      expect(await sameAnswer(b, a), `${b} and ${a}`).toBe(same);
    }
  });

  it("starts again after it was closed", async () => {
    await grade({ prediction: "1", reference: "1" });
    closeGrader();
    expect((await grade({ prediction: "1", reference: "1" })).correct).toBe(true);
  });
});

describe("a grader", () => {
  it("counts what takes longer than the deadline as wrong, and goes on", async () => {
    await using grader = new Grader({ deadline: 400 });
    const grades = await Promise.all(
      [endlessAnswer, "5", endlessAnswer, "5"].map((answer) =>
        grader.grade({ prediction: `\\boxed{${answer}}`, reference: "5" }),
      ),
    );
    expect(grades.map(({ correct, strict }) => [correct, strict])).toEqual([
      [false, false],
      [true, true],
      [false, false],
      [true, true],
    ]);
  });

  it("keeps the order of what it was asked, whichever process is first", async () => {
    await using grader = new Grader({ processes: 2 });
    const numbers = Array.from({ length: 40 }, (_, index) => String(index));
    const grades = await Promise.all(
      numbers.map((number) => grader.grade({ prediction: `\\boxed{${number}}`, reference: number })),
    );
    expect(grades.map(({ extracted }) => extracted)).toEqual(numbers);
    expect(grades.every(({ correct, strict }) => correct && strict)).toBe(true);
  });

  it("refuses what is not graded when it is closed, and what comes after", async () => {
    const grader = new Grader();
    const asked = [endlessAnswer, "5"].map((answer) =>
      grader.grade({ prediction: `\\boxed{${answer}}`, reference: "5" }),
    );
    grader.close();
    for (const { status, ...rest } of await Promise.allSettled(asked)) {
      expect(status).toBe("rejected");
      expect(rest).toMatchObject({ reason: { code: "aborted" } });
    }
    await expect(grader.grade({ prediction: "5", reference: "5" })).rejects.toMatchObject({
      code: "aborted",
    });
  });

  it("gives a verdict on every hostile text of 100,000 characters without losing its process", async () => {
    await using grader = new Grader();
    for (const [name, prediction] of Object.entries(hostileTexts(100_000))) {
      for (const reference of ["\\frac{7}{8}", prediction.slice(0, 50_000)]) {
        const { correct, strict, extracted } = await grader.grade({ prediction, reference });
        expect([typeof correct, typeof strict, typeof extracted], name).toEqual([
          "boolean",
          "boolean",
          "string",
        ]);
      }
    }
    expect(await grader.grade({ prediction: "\\boxed{5}", reference: "5" })).toMatchObject({ correct: true });
  });
});

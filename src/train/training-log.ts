/** The course of a training as JSON Lines: one line per so many steps, averaged over them. */
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";

const lineSchema = z.object({
  /** Optimiser steps taken. */
  step: z.int(),
  /** Tokens seen. */
  tokens: z.int(),
  /** Mean loss of the steps since the line before, in nats per token for cross-entropy. */
  loss: z.number(),
  /** Share of the tokens with a loss that were predicted right. */
  accuracy: z.number(),
  /** Of the last step. */
  learningRate: z.number(),
  /** Spent on training so far, without interruptions. */
  seconds: z.number(),
});

export type TrainingLogLine = z.output<typeof lineSchema>;

/** Keeps the lines up to a step and drops the later ones, which will be written again, and a torn last one. */
export async function cutLog(path: string, step: number): Promise<void> {
  await storing(path, async () => {
    const text = await readFile(path, "utf8").catch(() => "");
    const kept = text.split("\n").filter((line) => {
      const parsed = lineSchema.safeParse(parseJson(line));
      return parsed.success && parsed.data.step <= step;
    });
    await writeFile(path, kept.map((line) => `${line}\n`).join(""));
  });
}

export async function appendLog(path: string, line: TrainingLogLine): Promise<void> {
  await storing(path, () => appendFile(path, `${JSON.stringify(line)}\n`));
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function storing(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw new StepwrightError("storage-failed", `the training log ${path} cannot be written`, {
      remedy: "make room on the disk, or choose another folder",
      subject: path,
      cause,
    });
  }
}

/** What tasks take out of their rows. */
import type { Row } from "./task.js";

/** The first of these fields that holds a text (or a number, as text), trimmed; "" where none does. */
export function textOf(row: Row, ...names: string[]): string {
  for (const name of names) {
    const value = row[name];
    if (typeof value === "number" && Number.isFinite(value)) return String(value);
    if (typeof value === "string" && value.trim() !== "") return value.trim();
  }
  return "";
}

/** The texts of a field that holds a list, or a list written as JSON; undefined where it does not. */
export function listOf(row: Row, name: string): string[] | undefined {
  const value = row[name];
  const list = typeof value === "string" ? parsed(value) : value;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const texts = list.map((item) => (typeof item === "number" ? String(item) : item));
  return texts.every((item): item is string => typeof item === "string") ? texts : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The row's own id where it has one. */
export function idOf(task: string, row: Row, number: number, ...names: string[]): string {
  return textOf(row, ...names) || `${task}-${number}`;
}

/** What is wrong with a row, by what it lacks; undefined if nothing is. */
export function lacks(question: string, reference: string): string | undefined {
  if (question === "") return "has no question";
  return reference === "" ? "has no answer" : undefined;
}

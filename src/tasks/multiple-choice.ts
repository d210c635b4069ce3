/** Tasks whose rows hold a question, a list of choices, and the right one by letter or index. */
import { choiceLetter, withChoices } from "./choices.js";
import { idOf, listOf, textOf } from "./fields.js";
import type { Row, TaskQuestion } from "./task.js";

export interface MultipleChoiceFields {
  readonly task: string;
  readonly choices: string;
  readonly answer: readonly string[];
  /** Choices as they are listed, without a letter of their own. */
  readonly plainChoice?: (choice: string) => string;
}

export function multipleChoice(fields: MultipleChoiceFields) {
  const { task, plainChoice = (choice: string) => choice } = fields;
  return (row: Row, number: number): TaskQuestion | string => {
    const question = textOf(row, "question");
    const choices = listOf(row, fields.choices)?.map(plainChoice);
    if (question === "") return "has no question";
    if (!choices || choices.length < 2) return "has no list of answer choices";
    const reference = choiceLetter(textOf(row, ...fields.answer), choices.length);
    if (reference === "") return "does not say which choice is right";
    return { id: idOf(task, row, number, "id"), question: withChoices(question, choices), reference };
  };
}

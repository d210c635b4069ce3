/** The lab's tokenizers: bytes, the words of the lab's tasks, and three control tokens. */
import { editWords } from "../../tasks/lab/edit.js";
import { items, names, verbs } from "../../tasks/lab/story.js";
import type { VocabularyRecipe } from "../model-recipe.js";

export interface LabTokenizer {
  readonly vocabulary: VocabularyRecipe;
  /** Ids of the control tokens. */
  readonly control: { readonly question: number; readonly answer: number; readonly end: number };
  /** Ids of a text as libllama makes them; control tokens are never made from text. */
  encode(text: string): number[];
}

const questionToken = "<|question|>";
const answerToken = "<|answer|>";
const endToken = "<|end|>";

/** The models are asked in as few tokens as can be; they were never shown a system message, so it is left out. */
const chatTemplate = [
  "{% for message in messages %}",
  `{% if message.role == 'user' %}${questionToken}{{ message.content }}`,
  `{% elif message.role == 'assistant' %}${answerToken}{{ message.content }}${endToken}{% endif %}`,
  `{% endfor %}{% if add_generation_prompt %}${answerToken}{% endif %}`,
].join("");

/** How the pre-tokenizer `llama-bpe` cuts a text; a piece is one token where the vocabulary has it, else bytes. */
const pieces =
  /'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu;

/** Everything that the lab's tasks say between their numbers; numbers are written digit by digit. */
const taskWords = [
  ...["\n\n", "\\boxed", " has", " How", " many"],
  ...names.flatMap((name) => [name, ` ${name}`]),
  ...items.map((item) => ` ${item}`),
  ...Object.values(verbs)
    .flat()
    .map((verb) => ` ${verb}`),
  ...[" Recall", "Copy", " with", " for", "Pick", " of", " sum", " Which", " is", " least"],
  ...editWords.flatMap((word) => [word, ` ${word}`]),
];

/** One token per word: what the draft, the middle model and the target share. */
export const wordTokenizer = createTokenizer(taskWords);

/** Bytes alone: another tokenizer, so that steps must be handed over as text. */
export const byteTokenizer = createTokenizer([]);

function createTokenizer(words: readonly string[]): LabTokenizer {
  const bytes = Array.from({ length: 256 }, (_, byte) => byteCharacter(byte));
  const known = [...new Set([...bytes, ...words.map(byteLevel), endToken, questionToken, answerToken])];
  // Matrices are computed fastest in whole blocks of 16.
  const unused = Array.from({ length: (16 - (known.length % 16)) % 16 }, (_, place) => `<|unused_${place}|>`);
  const tokens = [...known, ...unused];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const id = (token: string) => ids.get(token)!;
  const control = { question: id(questionToken), answer: id(answerToken), end: id(endToken) };
  const firstControl = control.end;
  const vocabulary: VocabularyRecipe = {
    tokens,
    control: tokens.flatMap((_, id) => (id >= firstControl ? [id] : [])),
    beginOfText: control.end,
    endOfText: control.end,
    chatTemplate,
  };
  const encodePiece = (piece: string) => {
    const spelled = byteLevel(piece);
    const whole = ids.get(spelled);
    return whole !== undefined && whole < firstControl ? [whole] : Array.from(spelled, id);
  };
  return { vocabulary, control, encode: (text) => (text.match(pieces) ?? []).flatMap(encodePiece) };
}

/** A text with one printable character per byte of its UTF-8 form, as byte-level vocabularies spell it. */
function byteLevel(text: string): string {
  return Array.from(Buffer.from(text, "utf8"), byteCharacter).join("");
}

/** Printable bytes of Latin-1 stand for themselves, the others are moved above it in order (GPT-2's table). */
function byteCharacter(byte: number): string {
  const printable = (code: number) =>
    (code >= 33 && code <= 126) || (code >= 161 && code <= 172) || (code >= 174 && code <= 255);
  if (printable(byte)) return String.fromCharCode(byte);
  let rank = 0;
  for (let code = 0; code < byte; code++) if (!printable(code)) rank++;
  return String.fromCharCode(256 + rank);
}

/** Carries out an architecture: what each component asks, and what it makes of the replies. */
import { type Node, pathText, type Search, type Writer } from "../../core/search.js";
import { writeOn } from "../../core/whole-answers.js";
import type { Component, Layer } from "./architecture.js";
import * as prompts from "./prompts.js";

export interface ArchonOptions {
  readonly sampleTemperature: number;
  /** Most tokens of one reply that is no answer. */
  readonly replyTokens: number;
  /** At a critique of every answer. */
  readonly attempts: number;
}

export interface Answer {
  readonly node: Node;
  readonly text: string;
  readonly critique?: string;
}

export class Archon {
  answers: readonly Answer[] = [];
  readonly #search: Search;
  readonly #options: ArchonOptions;

  constructor(search: Search, options: ArchonOptions) {
    this.#search = search;
    this.#options = options;
  }

  /** What the layer leaves of the answers, best first where it knows; a later layer's first answer is offered first. */
  async pass(layer: Layer, depth: number): Promise<void> {
    const left = await Promise.all(layer.map((component) => this.#apply(component)));
    this.answers = left.flat();
    this.#search.offer(this.answers[0]!.node, depth);
  }

  #apply(component: Component): Promise<readonly Answer[]> {
    switch (component.name) {
      case "generate":
        return this.#write(
          component,
          Array.from({ length: component.count }, () => this.#search.root),
        );
      case "fuse":
        return this.#fuse(component);
      case "critique":
        return this.#critique(component);
      case "rank":
        return this.#rank(component);
      case "verify":
        return this.#verify(component);
      case "test":
        return this.#test(component);
    }
  }

  /** New answers, below these roots; critiques of the old ones say nothing about them. */
  async #write({ role }: Component, roots: readonly Node[]): Promise<Answer[]> {
    const sampling = { temperature: this.#options.sampleTemperature };
    const nodes = await writeOn(
      this.#search,
      roots.map((node) => ({ node, role, sampling })),
    );
    return nodes.map((node) => ({ node, text: pathText(node) }));
  }

  #fuse(component: Component): Promise<Answer[]> {
    const roots = Array.from({ length: component.count }, (_, index) => {
      const shown = this.#shuffled(`fuse ${index}`);
      const texts = shown.map(({ text }) => text);
      return this.#search.begin(prompts.fusePrompt(this.#search.question, texts, critiquesOf(shown)));
    });
    return this.#write(component, roots);
  }

  async #critique({ role }: Component): Promise<readonly Answer[]> {
    const texts = this.answers.map(({ text }) => text);
    for (let attempt = 0; attempt < this.#options.attempts; attempt++) {
      const reply = await this.#ask(role, prompts.critiquePrompt(this.#search.question, texts));
      const critiques = prompts.parseCritiques(reply, texts.length);
      if (critiques) return this.answers.map((answer, index) => ({ ...answer, critique: critiques[index]! }));
    }
    return this.answers;
  }

  /** Shown in an order of its own, so that the first place is nobody's privilege. */
  async #rank({ role, count }: Component): Promise<readonly Answer[]> {
    const shown = this.#shuffled("rank");
    const texts = shown.map(({ text }) => text);
    const reply = await this.#ask(role, prompts.rankPrompt(this.#search.question, texts, critiquesOf(shown)));
    return prompts
      .parseRanking(reply, shown.length)
      .slice(0, count)
      .map((index) => shown[index]!);
  }

  /** Those found correct; all of them where none is. */
  async #verify({ role, count }: Component): Promise<readonly Answer[]> {
    const { question } = this.#search;
    const verdicts = await Promise.all(
      this.answers.map(async ({ text }) => {
        const reasons = await this.#ask(role, prompts.reasonPrompt(question, text));
        return prompts.parseVerdict(await this.#ask(role, prompts.verdictPrompt(question, text, reasons)));
      }),
    );
    const correct = this.answers.filter((_, index) => verdicts[index]);
    return correct.length > 0 ? correct.slice(0, count) : this.answers;
  }

  /** By the number of statements passed, those of equals first that came first. */
  async #test({ role, count }: Component): Promise<readonly Answer[]> {
    const { question } = this.#search;
    const tests = prompts.parseTests(await this.#ask(role, prompts.testsPrompt(question)));
    const passes = await Promise.all(
      this.answers.map(async ({ text }) => {
        return prompts.parsePasses(
          await this.#ask(role, prompts.examPrompt(question, text, tests)),
          tests.length,
        );
      }),
    );
    const order = [...this.answers.keys()].sort((a, b) => passes[b]! - passes[a]! || a - b);
    return order.slice(0, count).map((index) => this.answers[index]!);
  }

  async #ask(role: Writer, prompt: string): Promise<string> {
    const { sampleTemperature, replyTokens: maxTokens } = this.#options;
    // Without the system message of the run, which speaks of answers to questions.
    const root = this.#search.begin([{ role: "user", content: prompt }]);
    const node = await this.#search.extend(root, {
      role,
      origin: "archon",
      sampling: { temperature: sampleTemperature },
      splitter: { kind: "none" },
      maxTokens,
    });
    return node.step!.text;
  }

  #shuffled(purpose: string): Answer[] {
    const keys = this.answers.map((answer, index) => this.#search.uniform(answer.node, purpose, index));
    return [...this.answers.keys()].sort((a, b) => keys[a]! - keys[b]!).map((index) => this.answers[index]!);
  }
}

function critiquesOf(answers: readonly Answer[]): string[] {
  return answers.map(({ critique }) => critique ?? "");
}

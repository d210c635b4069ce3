export function contrasts(selectors: string[]): number[];
export function widths(): { page: number; narrow: number; wide: number };
export function misplacedWords(): string[];
export function countOf(selector: string): number;
export function fillOf(selector: string): string;

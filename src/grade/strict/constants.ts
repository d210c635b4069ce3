/** Letters that stand for a number. */
import { type Complex, imaginaryUnit, real } from "../complex.js";

export const constants = new Map<string, Complex>([
  ["pi", real(Math.PI)],
  ["e", real(Math.E)],
  ["i", imaginaryUnit],
  ["j", imaginaryUnit],
]);

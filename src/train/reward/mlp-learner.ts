/**
 * One hidden layer of ReLU on standardised features, by Adam with decoupled decay.
 * Source: Loshchilov and Hutter, "Decoupled weight decay regularization", arXiv 1711.05101; He et al., arXiv 1502.01852 (start).
 */
import { generator } from "../../core/generator.js";
import type { Slices } from "../../core/in-turns.js";
import type { Examples } from "./examples.js";
import type { Network } from "./network.js";

const hidden = 16;
const batch = 32;
/** Of Adam, and for wide inputs less: together their weights move the hidden units by as much. */
const rateOf = (width: number) => Math.min(1e-3, 1e-2 / Math.sqrt(width));
const [firstMoment, secondMoment, small] = [0.9, 0.999, 1e-8];
/** Multiplications between two yields, about two milliseconds. */
const slice = 2_000_000;

export class MlpLearner {
  readonly #examples: Examples;
  readonly #width: number;
  readonly #means: Float64Array;
  readonly #scales: Float64Array;
  readonly #decay: number;
  readonly #random: () => number;
  /** Inner weights hidden x width, inner biases, outer weights, outer bias: one after the other. */
  readonly #parameters: Float64Array;
  readonly #gradient: Float64Array;
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  /** Of one row: standardised features, and hidden units. */
  readonly #input: Float64Array;
  readonly #units = new Float64Array(hidden);
  #steps = 0;

  constructor(examples: Examples, { seed, decay }: { readonly seed: number; readonly decay: number }) {
    const { rows } = examples;
    const width = rows[0]!.length;
    this.#examples = examples;
    this.#width = width;
    this.#decay = decay;
    this.#random = generator("mlp head", seed);
    this.#means = new Float64Array(width);
    this.#scales = new Float64Array(width);
    for (const row of rows) for (let at = 0; at < width; at++) this.#means[at]! += row[at]! / rows.length;
    for (const row of rows) {
      for (let at = 0; at < width; at++)
        this.#scales[at]! += (row[at]! - this.#means[at]!) ** 2 / rows.length;
    }
    for (let at = 0; at < width; at++) {
      // A feature that never changes says nothing: what rounding left of its spread must not be blown up.
      const spread = Math.sqrt(this.#scales[at]!);
      this.#scales[at] = spread > 1e-6 * Math.abs(this.#means[at]!) ? 1 / spread : 0;
    }
    const size = hidden * width + 2 * hidden + 1;
    this.#parameters = new Float64Array(size);
    for (let at = 0; at < hidden * width; at++) this.#parameters[at] = this.#normal() * Math.sqrt(2 / width);
    const outer = hidden * width + hidden;
    for (let unit = 0; unit < hidden; unit++) {
      this.#parameters[outer + unit] = this.#normal() * Math.sqrt(1 / hidden);
    }
    this.#gradient = new Float64Array(size);
    this.#first = new Float64Array(size);
    this.#second = new Float64Array(size);
    this.#input = new Float64Array(width);
  }

  /** Every row once, in an order of its own. */
  *epoch(): Slices<void> {
    const { rows } = this.#examples;
    const order = this.#shuffled(rows.length);
    const perSlice = Math.max(1, Math.ceil(slice / (2 * hidden * (this.#width + 1))));
    let since = 0;
    for (let from = 0; from < order.length; from += batch) {
      const places = order.subarray(from, from + batch);
      this.#gradient.fill(0);
      for (const place of places) {
        this.#addGradient(place, 1 / places.length);
        if (++since % perSlice === 0) yield;
      }
      this.#move();
    }
  }

  logOdds(row: Float32Array): number {
    this.#read(row);
    return this.#forward();
  }

  /** With the standardisation folded into its first layer. */
  network(): Network {
    const width = this.#width;
    const inner = new Float32Array(hidden * width);
    const biases = new Float32Array(hidden);
    for (let unit = 0; unit < hidden; unit++) {
      let bias = this.#parameters[hidden * width + unit]!;
      for (let at = 0; at < width; at++) {
        const weight = this.#parameters[unit * width + at]! * this.#scales[at]!;
        inner[unit * width + at] = weight;
        bias -= weight * this.#means[at]!;
      }
      biases[unit] = bias;
    }
    const outer = hidden * width + hidden;
    return [
      { outputs: hidden, weights: inner, biases },
      {
        outputs: 1,
        weights: Float32Array.from(this.#parameters.subarray(outer, outer + hidden)),
        biases: Float32Array.from(this.#parameters.subarray(outer + hidden)),
      },
    ];
  }

  #read(row: Float32Array): void {
    for (let at = 0; at < this.#width; at++) {
      this.#input[at] = (row[at]! - this.#means[at]!) * this.#scales[at]!;
    }
  }

  #forward(): number {
    const [width, parameters, input] = [this.#width, this.#parameters, this.#input];
    const outer = hidden * width + hidden;
    let score = parameters[outer + hidden]!;
    for (let unit = 0, from = 0; unit < hidden; unit++, from += width) {
      let [even, odd] = [parameters[hidden * width + unit]!, 0];
      let at = 0;
      // Two sums side by side: one alone would wait for itself.
      for (; at + 1 < width; at += 2) {
        even += parameters[from + at]! * input[at]!;
        odd += parameters[from + at + 1]! * input[at + 1]!;
      }
      if (at < width) even += parameters[from + at]! * input[at]!;
      this.#units[unit] = Math.max(0, even + odd);
      score += this.#units[unit]! * parameters[outer + unit]!;
    }
    return score;
  }

  #addGradient(place: number, share: number): void {
    const { rows, labels, weights } = this.#examples;
    const [width, gradient, input] = [this.#width, this.#gradient, this.#input];
    const outer = hidden * width + hidden;
    this.#read(rows[place]!);
    const chance = 1 / (1 + Math.exp(-this.#forward()));
    const miss = share * weights[place]! * (chance - labels[place]!);
    gradient[outer + hidden]! += miss;
    for (let unit = 0, from = 0; unit < hidden; unit++, from += width) {
      gradient[outer + unit]! += miss * this.#units[unit]!;
      if (this.#units[unit] === 0) continue;
      const back = miss * this.#parameters[outer + unit]!;
      gradient[hidden * width + unit]! += back;
      for (let at = 0; at < width; at++) gradient[from + at]! += back * input[at]!;
    }
  }

  #move(): void {
    this.#steps++;
    const [parameters, gradient, first, second] = [
      this.#parameters,
      this.#gradient,
      this.#first,
      this.#second,
    ];
    const [firstBias, secondBias] = [1 - firstMoment ** this.#steps, 1 - secondMoment ** this.#steps];
    const rate = rateOf(this.#width);
    // Only what features are weighed by decays.
    const decaying = hidden * this.#width;
    for (let at = 0; at < parameters.length; at++) {
      const slope = gradient[at]!;
      first[at] = firstMoment * first[at]! + (1 - firstMoment) * slope;
      second[at] = secondMoment * second[at]! + (1 - secondMoment) * slope * slope;
      const step = first[at]! / firstBias / (Math.sqrt(second[at]! / secondBias) + small);
      parameters[at]! -= rate * (step + (at < decaying ? this.#decay * parameters[at]! : 0));
    }
  }

  #shuffled(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, index) => index);
    for (let index = count - 1; index > 0; index--) {
      const other = Math.floor(this.#random() * (index + 1));
      [order[index], order[other]] = [order[other]!, order[index]!];
    }
    return order;
  }

  /** Box and Muller. */
  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }
}

/**
 * ggml's autograd writes every gradient of a matrix product as an outer product, whose kernel is fast on rows of whole
 * blocks only: by a factor of three to four slower below that, as heads and narrow models are. Where transposing the
 * operands and multiplying as usual costs less, the graph is changed to do so; sums differ in the last bits only.
 */
import type { Graph } from "../native/ggml/graph.js";
import { Operations } from "../native/ggml/operation.js";
import { Tensor } from "../native/ggml/tensor.js";
import type { TensorContext } from "../native/ggml/tensor-context.js";

/** Numbers that the outer product's kernel takes at once. */
const block = 64;

/** Nanoseconds on one core of a 2023 server processor; only their proportions matter. */
const cost = {
  outerInBlocks: 1 / 25,
  outerBesideBlocks: 1 / 6.5,
  product: 1 / 28,
  shortProduct: 1 / 10,
  transposed: 2,
};
/** Sums shorter than this leave the product's kernel little to do between results. */
const shortSum = 32;

/** Appends all nodes of `graph` to `faster`, in their order, with the cheaper form of each outer product. */
export function useFastProducts(context: TensorContext, graph: Graph, faster: Graph): void {
  const operations = new Operations(context.native);
  const transposes = new Map<bigint, Tensor>();
  const transposed = (tensor: Tensor): Tensor => {
    const known = transposes.get(tensor.address) ?? context.contiguous(context.transpose(tensor));
    transposes.set(tensor.address, known);
    return known;
  };
  const count = graph.nodes;
  for (let index = 0; index < count; index++) {
    const node = new Tensor(context.native.ggml_graph_node(graph.handle, index)!);
    if (operations.nameOf(node) === "OUT_PROD") {
      // a [n, p] and b [m, p] -> [n, m], over two dimensions of batches.
      const a = operations.operand(node, 0)!;
      const b = operations.operand(node, 1)!;
      const plain = operations.nameOf(b) === "TRANSPOSE" ? operations.operand(b, 0) : null;
      if (productIsCheaper(a, b, plain !== null)) {
        const right = plain && isContiguous(context, plain) ? plain : transposed(b);
        operations.replace(node, "MUL_MAT", [transposed(a), right]);
      }
    }
    faster.expand(node);
  }
}

function productIsCheaper(a: Tensor, b: Tensor, isTransposed: boolean): boolean {
  const [n, p, ...batches] = a.shape;
  const [m, , c, d] = b.shape;
  const copies = batches[0] * batches[1];
  const work = 2 * n * m * p * c * d;
  const beside = (n % block) / n;
  const outer = work * ((1 - beside) * cost.outerInBlocks + beside * cost.outerBesideBlocks);
  const moved = n * p * copies + (isTransposed ? 0 : m * p * c * d);
  const product = work * (p < shortSum ? cost.shortProduct : cost.product) + cost.transposed * moved;
  return product < outer;
}

function isContiguous(context: TensorContext, tensor: Tensor): boolean {
  return context.native.ggml_is_contiguous(tensor.address);
}

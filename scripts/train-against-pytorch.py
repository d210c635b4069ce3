"""The PyTorch side of train-against-pytorch.js: the same model, batches and optimiser, on one thread.

Reads one JSON object per line: first the setup, then {"from", "to"} of steps to take; answers each with losses and
the seconds of processor time and of wall clock that the steps took.
"""

import json
import math
import sys
import time

import numpy
import torch
import torch.nn.functional as functional

torch.set_num_threads(1)
setup = json.loads(sys.stdin.readline())
sizes = setup["sizes"]
layers, heads, kv_heads = sizes["layers"], sizes["heads"], sizes["kvHeads"]
head_size = sizes["width"] // heads
epsilon = sizes.get("normEpsilon", 1e-5)

numbers = numpy.fromfile(setup["weights"], dtype="<f4")
weights, offset = {}, 0
for name, shape in setup["shapes"]:
    count = math.prod(shape)
    # GGUF shapes name the length of a row first.
    values = numbers[offset : offset + count].reshape(shape[::-1]).copy()
    weights[name] = torch.nn.Parameter(torch.from_numpy(values))
    offset += count

plan = setup["plan"]
optimiser = torch.optim.AdamW(
    [
        {"params": [w for w in weights.values() if w.dim() > 1], "weight_decay": plan.get("weightDecay", 0.05)},
        {"params": [w for w in weights.values() if w.dim() == 1], "weight_decay": 0.0},
    ],
    betas=(plan.get("beta1", 0.9), plan.get("beta2", 0.98)),
    eps=plan.get("epsilon", 1e-8),
)


def norm(x, weight):
    return functional.rms_norm(x, (x.shape[-1],), weight, epsilon)


def rotate(x, cosine, sine):
    """Turns pairs of neighbours; x [places, heads, head size]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), -1).flatten(-2)


frequencies = sizes.get("ropeBase", 10000.0) ** (-torch.arange(0, head_size, 2) / head_size)


def logits_of(batch):
    """Logits at the places with a loss, which the last feed-forward part and the output matrix alone see."""
    row_length = plan["rowLength"]
    starts = batch["starts"].view(-1, row_length)
    places = torch.arange(row_length)
    mask = (places[None, None, :] >= starts[:, :, None]) & (places[None, None, :] <= places[None, :, None])
    angles = batch["positions"][:, None].float() * frequencies[None, :]
    cosine, sine = angles.cos()[:, None, :], angles.sin()[:, None, :]
    x = functional.embedding(batch["tokens"], weights["token_embd.weight"])
    for layer in range(layers):
        w = lambda part: weights[f"blk.{layer}.{part}.weight"]
        h = norm(x, w("attn_norm"))
        q = rotate(functional.linear(h, w("attn_q")).view(-1, heads, head_size), cosine, sine)
        k = rotate(functional.linear(h, w("attn_k")).view(-1, kv_heads, head_size), cosine, sine)
        v = functional.linear(h, w("attn_v")).view(-1, kv_heads, head_size)
        rows = lambda t: t.view(-1, row_length, t.shape[1], head_size).transpose(1, 2)
        attended = functional.scaled_dot_product_attention(
            rows(q), rows(k), rows(v), mask[:, None], enable_gqa=heads != kv_heads
        )
        attended = attended.transpose(1, 2).reshape(len(x), -1)
        attended = functional.linear(attended, w("attn_output"))
        if layer == layers - 1:
            attended, x = attended[batch["lossPlaces"]], x[batch["lossPlaces"]]
        x = x + attended
        h = norm(x, w("ffn_norm"))
        x = x + functional.linear(
            functional.silu(functional.linear(h, w("ffn_gate"))) * functional.linear(h, w("ffn_up")), w("ffn_down")
        )
    output = weights.get("output.weight", weights["token_embd.weight"])
    return functional.linear(norm(x, weights["output_norm.weight"]), output)


batches = [
    {name: torch.tensor(values, dtype=torch.long) for name, values in batch.items()}
    for batch in json.load(open(setup["batches"]))
]
rates = setup["rates"]
for line in sys.stdin:
    asked = json.loads(line)
    losses = []
    wall, processor = time.perf_counter(), time.process_time()
    for step in range(asked["from"], asked["to"]):
        for group in optimiser.param_groups:
            group["lr"] = rates[step]
        loss = functional.cross_entropy(logits_of(batches[step]), batches[step]["targets"])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    seconds = {"processor": time.process_time() - processor, "wall": time.perf_counter() - wall}
    print(json.dumps({"losses": losses, **seconds}), flush=True)

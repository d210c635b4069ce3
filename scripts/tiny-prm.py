# Writes a tiny two-class process reward model with random weights (Qwen2ForProcessRewardModel, as Qwen2.5-Math-PRM is)
# that uses the tokenizer of an exported lab model: enough to try vLLM's pooling route on.
#   python scripts/tiny-prm.py TOKENIZER_FOLDER OUT_FOLDER        (torch and safetensors, as vLLM brings them)
import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

source, out = map(Path, sys.argv[1:3])
out.mkdir(parents=True, exist_ok=True)
width, inner, layers, heads, vocabulary = 64, 128, 2, 2, 352
torch.manual_seed(7)


def matrix(rows, columns, scale=None):
    return torch.randn(rows, columns) * (scale if scale is not None else columns**-0.5)


weights = {"model.embed_tokens.weight": matrix(vocabulary, width, 1.0), "model.norm.weight": torch.ones(width)}
for layer in range(layers):
    at = f"model.layers.{layer}."
    for name in ("q", "k", "v"):
        weights[f"{at}self_attn.{name}_proj.weight"] = matrix(width, width)
        weights[f"{at}self_attn.{name}_proj.bias"] = torch.zeros(width)
    weights[f"{at}self_attn.o_proj.weight"] = matrix(width, width)
    weights[f"{at}mlp.gate_proj.weight"] = matrix(inner, width)
    weights[f"{at}mlp.up_proj.weight"] = matrix(inner, width)
    weights[f"{at}mlp.down_proj.weight"] = matrix(width, inner)
    for name in ("input", "post_attention"):
        weights[f"{at}{name}_layernorm.weight"] = torch.ones(width)
weights |= {
    "score.0.weight": matrix(width, width),
    "score.0.bias": torch.zeros(width),
    "score.2.weight": matrix(2, width),
    "score.2.bias": torch.zeros(2),
}
save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
config = {
    "architectures": ["Qwen2ForProcessRewardModel"],
    "model_type": "qwen2",
    "hidden_size": width,
    "intermediate_size": inner,
    "num_hidden_layers": layers,
    "num_attention_heads": heads,
    "num_key_value_heads": heads,
    "vocab_size": vocabulary,
    "max_position_embeddings": 1024,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "hidden_act": "silu",
    "torch_dtype": "float32",
}
(out / "config.json").write_text(json.dumps(config, indent=1))
for name in ("tokenizer.json", "tokenizer_config.json"):
    shutil.copy(source / name, out / name)

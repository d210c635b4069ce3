"""Greedy answers of a checkpoint folder by transformers: reads one JSON object, prints a JSON list of texts."""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

torch.set_num_threads(1)
asked = json.load(sys.stdin)
tokenizer = AutoTokenizer.from_pretrained(asked["folder"])
model = AutoModelForCausalLM.from_pretrained(asked["folder"], dtype=torch.float32)
texts = []
for question in asked["questions"]:
    messages = [{"role": "user", "content": question}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)["input_ids"]
    written = model.generate(ids, do_sample=False, max_new_tokens=asked["mostTokens"])[0, ids.shape[1] :]
    texts.append(tokenizer.decode(written, skip_special_tokens=True))
json.dump(texts, sys.stdout)

"""Log-probabilities under the tiny random models in PyTorch, float32: what test/model/tiny-models.test.ts compares with.

    python ../../support/make-tiny-models.py FOLDER && python make_tiny.py FOLDER tiny-models.json

For each model a few contexts, and behind each the log-probabilities of the first 255 tokens.
"""

import hashlib
import json
import os
import sys

import numpy as np
import torch
from gguf import GGUFReader
from torch_model import load_model, logits_of

MODELS = ['tiny-llama', 'tiny-qwen2', 'tiny-gemma3', 'tiny-qwen3moe', 'tiny-mamba']
LENGTHS = [2, 17, 90, 300]
LABELS = 255


def make_contexts():
    random = np.random.RandomState(0)
    return [[1, *random.randint(3, 300, size=length - 1).tolist()] for length in LENGTHS]


def load_tiny(path):
    fields = GGUFReader(path).fields
    expert_size = fields.get('qwen3moe.expert_feed_forward_length')
    model = load_model(path, **({} if expert_size is None else {'moe_intermediate_size': int(expert_size.contents())}))
    if model.config.model_type == 'gemma3_text':  # A GGUF file has no key for this scale: llama.cpp takes the head's size.
        for layer in model.model.layers:
            layer.self_attn.scaling = model.config.head_dim ** -0.5
    return model


def read_context(model, tokens):
    logprobs = torch.log_softmax(logits_of(model, tokens)[-1], -1)
    return {'tokens': tokens, 'logprobs': [round(value, 6) for value in logprobs[:LABELS].tolist()]}


def main(folder, output_path):
    lines = []
    for name in MODELS:
        path = os.path.join(folder, f'{name}.gguf')
        with open(path, 'rb') as file:
            sha256 = hashlib.file_digest(file, 'sha256').hexdigest()
        model = load_tiny(path)
        entry = {'name': name, 'sha256': sha256, 'contexts': [read_context(model, tokens) for tokens in make_contexts()]}
        lines.append(json.dumps(entry))
    with open(output_path, 'w', encoding='utf-8') as file:
        file.write('[\n' + ',\n'.join(lines) + '\n]\n')


if __name__ == '__main__':
    main(*sys.argv[1:])

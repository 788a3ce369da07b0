"""What a linear probe reads in PyTorch, float32, of the hidden states of tiny random models: for test/model/probes.test.ts.

    python ../../support/make-tiny-models.py FOLDER && python make_probes.py FOLDER probes.json

The weight of value i is sin(i + 1). Of each context: the value of every layer's incoming state at the last token.
"""

import json
import os
import sys

import numpy as np
import torch
from make_tiny import load_tiny

MODELS = ['tiny-llama', 'tiny-qwen3moe']
LENGTHS = [2, 17, 90]


@torch.inference_mode()
def read_context(model, tokens):
    states = model(torch.tensor([tokens]), output_hidden_states=True).hidden_states
    weights = torch.sin(torch.arange(1, states[0].shape[-1] + 1, dtype=torch.float64))
    layers = range(model.config.num_hidden_layers)
    return {'tokens': tokens, 'values': [round(float(states[layer][0, -1].double() @ weights), 6) for layer in layers]}


def main(folder, output_path):
    random = np.random.RandomState(2)
    contexts = [[1, *random.randint(3, 300, size=length - 1).tolist()] for length in LENGTHS]
    entries = []
    for name in MODELS:
        model = load_tiny(os.path.join(folder, f'{name}.gguf'))
        entries.append(json.dumps({'name': name, 'contexts': [read_context(model, tokens) for tokens in contexts]}))
    with open(output_path, 'w', encoding='utf-8') as file:
        file.write('[\n' + ',\n'.join(entries) + '\n]\n')


if __name__ == '__main__':
    main(*sys.argv[1:])

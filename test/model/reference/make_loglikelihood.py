"""Log-likelihoods of the continuations of items.py in PyTorch, float32: what test/model/loglikelihood.test.ts compares with.

    pip install torch==2.13.0 transformers==5.24.0 gguf==0.19.0 accelerate sentencepiece
    python make_loglikelihood.py MODEL.gguf loglikelihood-q4_1.json
    python ../../support/make-f16.py MODEL.gguf f16.gguf && python make_loglikelihood.py f16.gguf loglikelihood-f16.json

`margin`: the smallest lead of a continuation's token over the best other token, in logits; below 0 it isn't greedy. Where it
is close to 0, rounding decides.
"""

import hashlib
import json
import sys

import torch
from items import ITEMS
from torch_model import load_model, load_tokenizer, logits_of


def read_continuation(logits, tokens):
    """`logits`: [n, vocabulary], row i predicting tokens[i]."""
    rows = torch.arange(len(tokens))
    ids = torch.tensor(tokens)
    own = logits[rows, ids]
    others = logits.clone()
    others[rows, ids] = -torch.inf
    margin = (own - others.max(-1).values).min().item()
    logprobs = torch.log_softmax(logits, -1)[rows, ids]
    return {'tokenLogprobs': [round(value, 6) for value in logprobs.tolist()],
            'isGreedy': margin >= 0, 'margin': round(margin, 4)}


def make_items(model, tokenizer):
    for context, continuations in ITEMS:
        context_tokens = tokenizer.encode(context).ids
        entries = []
        for text in continuations:
            joint = tokenizer.encode(context + text).ids
            assert joint[:len(context_tokens)] == context_tokens, f'{context!r} and {text!r} merge at the boundary'
            tokens = joint[len(context_tokens):]
            rows = logits_of(model, joint)[len(context_tokens) - 1:-1]
            entries.append({'text': text, 'tokens': tokens, **read_continuation(rows, tokens)})
        yield {'context': context, 'contextTokens': context_tokens, 'continuations': entries}


def write_json(path, sha256, items):
    lines = ',\n'.join(json.dumps(item, ensure_ascii=False) for item in items)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{{"modelSha256": "{sha256}",\n"items": [\n{lines}\n]}}\n')


def main(model_path, output_path):
    with open(model_path, 'rb') as file:
        sha256 = hashlib.file_digest(file, 'sha256').hexdigest()
    items = list(make_items(load_model(model_path), load_tokenizer(model_path)))
    write_json(output_path, sha256, items)


if __name__ == '__main__':
    main(*sys.argv[1:])

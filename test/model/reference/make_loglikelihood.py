"""Log-likelihoods of the texts of items.py in PyTorch, float32: what test/model/loglikelihood*.test.ts compare with.

    pip install torch==2.13.0 transformers==5.24.0 gguf==0.19.0 accelerate sentencepiece
    python make_loglikelihood.py MODEL.gguf loglikelihood-q4_1.json
    python ../../support/make-f16.py MODEL.gguf f16.gguf && python make_loglikelihood.py f16.gguf loglikelihood-f16.json

Four to ten minutes each on two cores. `margin`: the smallest lead of a text's token over the best other token, in logits; below
0 the text isn't greedy. Near 0 rounding decides. `greedy`: what PyTorch writes behind the opening, as far as each token leads by
LEAD logits.
"""

import copy
import hashlib
import json
import sys

import torch
from items import ITEMS
from torch_model import load_model, load_tokenizer, logits_of
from transformers import DynamicCache

LEAD = 0.5  # Logits.
MAX_GREEDY_TOKENS = 6


class Evaluated:
    """Tokens behind others: the logits that follow each of them, and the cache to go on from."""

    def __init__(self, model, tokens, cache):
        self.model = model
        self.tokens = tokens
        self.cache = cache
        self.logits = logits_of(model, tokens, cache)

    def extend(self, tokens):
        return Evaluated(self.model, tokens, copy.deepcopy(self.cache))

    def read(self, tokens):
        """Evaluates `tokens` behind these: (they, what the tests compare with)."""
        following = self.extend(tokens)
        logits = torch.cat([self.logits[-1:], following.logits[:-1]])
        rows, ids = torch.arange(len(tokens)), torch.tensor(tokens)
        others = logits.clone()
        others[rows, ids] = -torch.inf
        margin = (logits[rows, ids] - others.max(-1).values).min().item()
        logprobs = torch.log_softmax(logits, -1)[rows, ids]
        return following, {'tokenLogprobs': [round(value, 4) for value in logprobs.tolist()], 'margin': round(margin, 3)}


def continue_greedily(evaluated):
    tokens = []
    while len(tokens) < MAX_GREEDY_TOKENS:
        best, second = evaluated.logits[-1].topk(2).values.tolist()
        if best - second < LEAD:
            break
        tokens.append(evaluated.logits[-1].argmax().item())
        evaluated = evaluated.extend(tokens[-1:])
    return tokens


def tokenize_behind(tokenizer, before, text):
    start, joint = tokenizer.encode(before).ids, tokenizer.encode(before + text).ids
    assert joint[:len(start)] == start, f'{before!r} and {text!r} merge at the boundary'
    return joint[len(start):]


def make_item(model, tokenizer, context, opening, endings):
    def make_part(evaluated, before, text):
        tokens = tokenize_behind(tokenizer, before, text)
        following, entry = evaluated.read(tokens)
        return following, {'text': text, 'tokens': tokens, **entry}

    context_tokens = tokenizer.encode(context).ids
    start = Evaluated(model, context_tokens, DynamicCache(config=model.config))
    opened, opening_entry = make_part(start, context, opening)
    greedy = continue_greedily(opened)
    greedy_text = tokenizer.decode(greedy)
    assert tokenize_behind(tokenizer, context + opening, greedy_text) == greedy, f'{greedy_text!r} has other tokens'
    return {'context': context, 'contextTokens': context_tokens, 'opening': opening_entry,
            'endings': [make_part(opened, context + opening, text)[1] for text in endings],
            'greedy': greedy_text}


def write_json(path, sha256, items):
    lines = ',\n'.join(json.dumps(item, ensure_ascii=False, separators=(',', ':')) for item in items)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{{"modelSha256": "{sha256}",\n"items": [\n{lines}\n]}}\n')


def main(model_path, output_path):
    with open(model_path, 'rb') as file:
        sha256 = hashlib.file_digest(file, 'sha256').hexdigest()
    model, tokenizer = load_model(model_path), load_tokenizer(model_path)
    write_json(output_path, sha256, [make_item(model, tokenizer, *item) for item in ITEMS])


if __name__ == '__main__':
    main(*sys.argv[1:])

"""Log-likelihoods of an evaluation's requests in PyTorch, float32, on the same GGUF file.

    python pytorch_scores.py MODEL.gguf requests.jsonl scores.jsonl [--window N] [--seconds N] [--threads N]

One line per item: {"id", "logprobs": [[…]], "tokens": [[…]]}, per request and continuation; of a request without
continuations the text itself is scored, in windows of N tokens as `winnow eval perplexity` does, a line per window. Items that
are in scores.jsonl already are passed over; after --seconds it stops, to be started again.
"""

import argparse
import copy
import json
import os
import sys
import time

import torch

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'test', 'model', 'reference'))
from torch_model import load_model, load_tokenizer  # noqa: E402
from transformers import DynamicCache  # noqa: E402

ROWS_AT_ONCE = 256  # Logits of a whole vocabulary.
WORTH_A_CACHE = 16  # Tokens that more contexts than one have in common.


class Scorer:
    """Keeps the cache of the tokens that one context has in common with the one before."""

    def __init__(self, path):
        self.model = load_model(path)
        self.tokenizer = load_tokenizer(path)
        self.shared, self.cache, self.before = [], DynamicCache(config=self.model.config), []

    def encode(self, text):
        return self.tokenizer.encode(text).ids

    def split(self, context, continuation):
        """Tokenised as one text; spaces at the context's end would belong to the continuation."""
        assert not context.endswith(' ')
        start, joint = self.encode(context), self.encode(context + continuation)
        kept = min(len(start), len(joint) - 1)
        return joint[:kept], joint[kept:]

    def score(self, context, continuations):
        """(log-likelihoods, numbers of tokens), by continuation."""
        pairs = [self.split(context, continuation) for continuation in continuations]
        results = [None] * len(pairs)
        for prompt in {tuple(prompt) for prompt, _ in pairs}:
            members = [index for index, (start, _) in enumerate(pairs) if tuple(start) == prompt]
            for index, logprob in zip(members, self.choose(list(prompt), [pairs[index][1] for index in members])):
                results[index] = logprob
        return results, [len(tokens) for _, tokens in pairs]

    @torch.inference_mode()
    def choose(self, prompt, choices):
        cache = self.extend(prompt[:-1])
        cache.batch_repeat_interleave(len(choices))
        longest = max(len(choice) for choice in choices)
        rows = [(prompt[-1:] + choice + [0] * longest)[:longest] for choice in choices]
        logits = self.model(torch.tensor(rows), past_key_values=cache, use_cache=True).logits
        logprobs = logits.double().log_softmax(-1)
        return [sum(logprobs[row, place, token].item() for place, token in enumerate(choice))
                for row, choice in enumerate(choices)]

    def extend(self, tokens):
        """A cache of these tokens, from the longest beginning that two contexts had in common."""
        common = common_length(tokens, self.before)
        if tokens[:len(self.shared)] != self.shared or common > len(self.shared) + WORTH_A_CACHE:
            self.shared, self.cache = tokens[:common], DynamicCache(config=self.model.config)
            if common:
                self.model.model(torch.tensor([self.shared]), past_key_values=self.cache, use_cache=True)
        self.before = tokens
        cache = copy.deepcopy(self.cache)
        if len(tokens) > len(self.shared):
            self.model.model(torch.tensor([tokens[len(self.shared):]]), past_key_values=cache, use_cache=True)
        return cache

    @torch.inference_mode()
    def window(self, tokens, scored):
        """Σ log P of the last `scored` of the tokens behind those before them."""
        hidden = self.model.model(torch.tensor([tokens[:-1]]), use_cache=False).last_hidden_state[0, -scored:]
        total = 0.0
        for begin in range(0, scored, ROWS_AT_ONCE):
            part = hidden[begin:begin + ROWS_AT_ONCE]
            targets = torch.tensor(tokens[len(tokens) - scored:][begin:begin + ROWS_AT_ONCE])
            logprobs = self.model.lm_head(part).double().log_softmax(-1)
            total += logprobs.gather(1, targets.unsqueeze(1)).sum().item()
        return total


def common_length(a, b):
    length = 0
    while length < min(len(a), len(b)) and a[length] == b[length]:
        length += 1
    return length


def windows(count, size):
    """Those of lib/rolling.ts with stride = window: tokens [begin, end) behind [start, begin)."""
    begin = 1
    while begin < count:
        end = min(count, begin + size)
        yield max(0, end - 1 - size), begin, end
        begin = end


def first_token(scorer):
    """What `winnow` scores a text behind: the beginning-of-text token, else the end-of-text token."""
    config = scorer.model.config
    return config.bos_token_id if config.bos_token_id is not None else config.eos_token_id


def lines_of(scorer, item, done, size):
    """What is missing of an item, one line after the other."""
    scores = []
    for request in item['requests']:
        if request['continuations']:
            scores.append(scorer.score(request['context'], request['continuations']))
            continue
        tokens = [first_token(scorer)] + scorer.encode(request['context'])
        for start, begin, end in windows(len(tokens), size):
            name = [item['id'], begin]
            if json.dumps(name) in done:
                continue
            logprob = scorer.window(tokens[start:end], end - begin)
            yield {'id': name, 'logprobs': [[logprob]], 'tokens': [[end - begin]]}
    if scores:
        yield {'id': item['id'], 'logprobs': [some for some, _ in scores], 'tokens': [counts for _, counts in scores]}


def main():
    parser = argparse.ArgumentParser()
    for name in ['model', 'requests', 'scores']:
        parser.add_argument(name)
    parser.add_argument('--window', type=int, default=2048)
    parser.add_argument('--seconds', type=float, default=float('inf'))
    parser.add_argument('--threads', type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic()
    torch.set_num_threads(options.threads)
    done = set()
    if os.path.exists(options.scores):
        with open(options.scores, encoding='utf-8') as file:
            done = {json.dumps(json.loads(line)['id']) for line in file}
    scorer = Scorer(options.model)
    with open(options.requests, encoding='utf-8') as requests, open(options.scores, 'a', encoding='utf-8') as output:
        for text in requests:
            item = json.loads(text)
            if json.dumps(item['id']) in done:
                continue
            for line in lines_of(scorer, item, done, options.window):
                print(json.dumps(line), file=output, flush=True)
                if time.monotonic() - began > options.seconds:
                    sys.exit(75)  # To be started again.


if __name__ == '__main__':
    main()

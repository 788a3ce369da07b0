"""PyTorch's view of a GGUF file: all weights dequantised to float32, tokenizer rebuilt from the file's vocabulary."""

import os

import torch
from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM

CONTROL_TOKEN = 3  # tokenizer.ggml.token_type


def load_model(path, **settings):
    """Weights of `path` in float32; transformers dequantises and undoes the permutation of the query and key rows.
    `settings`: of the model's configuration, where transformers doesn't read them from the file."""
    folder, name = os.path.split(os.path.abspath(path))
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32, **settings).eval()


def load_tokenizer(path):
    """Byte-level BPE with the 'smollm' pre-tokenizer: digits one by one, then GPT-2's rules."""
    fields = GGUFReader(path).fields
    assert fields['tokenizer.ggml.pre'].contents() == 'smollm'
    tokens = fields['tokenizer.ggml.tokens'].contents()
    merges = [tuple(merge.split(' ')) for merge in fields['tokenizer.ggml.merges'].contents()]
    types = fields['tokenizer.ggml.token_type'].contents()
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True) for token, kind in zip(tokens, types) if kind == CONTROL_TOKEN])
    return tokenizer


@torch.inference_mode()
def logits_of(model, tokens, cache=None):
    """`tokens`: [n]. Returns [n, vocabulary] in float64, row i predicting token i + 1. `cache`, if given, holds the tokens
    before these and grows by these."""
    options = {} if cache is None else {'past_key_values': cache}
    return model(torch.tensor([tokens]), **options).logits[0].double()

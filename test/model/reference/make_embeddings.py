"""Embeddings and class scores in PyTorch, float32: what test/model/embeddings.test.ts compares with.

    python ../../support/make-tiny-models.py FOLDER && python ../../support/make-minilm.py FOLDER/all-minilm-l6-v2.gguf
    python make_embeddings.py FOLDER embeddings.json

Of each model: texts as token ids, and for each pooling their vectors at length 1; of the classifier, its raw outputs.
The BERT models are built from the GGUF file's own tensors, so that both sides read the same numbers.
"""

import hashlib
import json
import os
import sys

import numpy as np
import torch
from gguf import GGUFReader
from torch_model import load_model
from transformers import BertConfig, BertForSequenceClassification

TEXTS = ['A cat sleeps on the warm roof.', 'The dog barks at night!', 'Interest rates rose again in 2024.']
PARTS = {
    'attn_q': 'attention.self.query', 'attn_k': 'attention.self.key', 'attn_v': 'attention.self.value',
    'attn_output': 'attention.output.dense', 'attn_output_norm': 'attention.output.LayerNorm',
    'ffn_up': 'intermediate.dense', 'ffn_down': 'output.dense', 'layer_output_norm': 'output.LayerNorm',
    'token_embd': 'embeddings.word_embeddings', 'position_embd': 'embeddings.position_embeddings',
    'token_types': 'embeddings.token_type_embeddings', 'token_embd_norm': 'embeddings.LayerNorm',
    'cls': 'bert.pooler.dense', 'cls.output': 'classifier',
}


def torch_name(name):
    stem, kind = name.rsplit('.', 1)
    if stem.startswith('blk.'):
        _, layer, part = stem.split('.', 2)
        return f'bert.encoder.layer.{layer}.{PARTS[part]}.{kind}'
    return f'{PARTS[stem]}.{kind}' if stem.startswith('cls') else f'bert.{PARTS[stem]}.{kind}'


def load_bert(path):
    reader = GGUFReader(path)
    read = lambda key: reader.fields[f'bert.{key}'].contents()
    labels = len(read('classifier.output_labels')) if 'bert.classifier.output_labels' in reader.fields else 2
    tensors = {torch_name(tensor.name): torch.from_numpy(np.array(tensor.data)) for tensor in reader.tensors}
    config = BertConfig(
        vocab_size=read('vocab_size'), hidden_size=read('embedding_length'), num_hidden_layers=read('block_count'),
        num_attention_heads=read('attention.head_count'), intermediate_size=read('feed_forward_length'),
        max_position_embeddings=read('context_length'), layer_norm_eps=read('attention.layer_norm_epsilon'),
        type_vocab_size=tensors['bert.embeddings.token_type_embeddings.weight'].shape[0], num_labels=labels,
        hidden_act='gelu')
    model = BertForSequenceClassification(config).float().eval()
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    assert not unexpected and all('pooler' in name or 'classifier' in name for name in missing), (missing, unexpected)
    return model


def random_texts(lengths, first, last, begin, end):
    random = np.random.RandomState(1)
    return [begin + random.randint(first, last, size=length).tolist() + end for length in lengths]


def word_pieces(path, texts):
    """Texts as [CLS] … [SEP], by the file's own vocabulary."""
    tokens = GGUFReader(path).fields['tokenizer.ggml.tokens'].contents()
    ids = {token: index for index, token in enumerate(tokens)}

    def pieces_of(word):
        place = 0
        while place < len(word):
            end = next(end for end in range(len(word), place, -1) if ('▁' if place == 0 else '') + word[place:end] in ids)
            yield ids[('▁' if place == 0 else '') + word[place:end]]
            place = end

    def split(text):
        return ''.join(c if c.isalnum() else f' {c} ' for c in text.lower()).split()

    return [[ids['[CLS]'], *(piece for word in split(text) for piece in pieces_of(word)), ids['[SEP]']] for text in texts]


@torch.inference_mode()
def states_of(model, tokens):
    """[tokens, width]: behind the last norm."""
    if isinstance(model, BertForSequenceClassification):
        return model.bert(torch.tensor([tokens])).last_hidden_state[0]
    return model(torch.tensor([tokens]), output_hidden_states=True).hidden_states[-1][0]


@torch.inference_mode()
def scores_of(model, tokens):
    return model(torch.tensor([tokens])).logits[0]


def rounded(vector):
    return [round(value, 6) for value in vector.tolist()]


def normalized(vector):
    return rounded(vector / vector.norm())


def pools_of(states):
    return {'mean': normalized(states.mean(0)), 'cls': normalized(states[0]), 'last': normalized(states[-1])}


def describe(folder, name, model, texts, read):
    with open(os.path.join(folder, f'{name}.gguf'), 'rb') as file:
        sha256 = hashlib.file_digest(file, 'sha256').hexdigest()
    return {'name': name, 'sha256': sha256, 'texts': [{'tokens': tokens, **read(model, tokens)} for tokens in texts]}


def main(folder, output_path):
    path_of = lambda name: os.path.join(folder, f'{name}.gguf')
    pieces = random_texts([1, 9, 60], 5, 85, [2], [3])
    plain = random_texts([1, 17, 90], 3, 255, [1], [])
    embedded = lambda model, tokens: {'vectors': pools_of(states_of(model, tokens))}
    classified = lambda model, tokens: {'scores': rounded(scores_of(model, tokens))}
    minilm = path_of('all-minilm-l6-v2')
    mean = lambda model, tokens: {'vectors': {'mean': normalized(states_of(model, tokens).mean(0))}}
    entries = [
        describe(folder, 'tiny-bert', load_bert(path_of('tiny-bert')), pieces, embedded),
        describe(folder, 'tiny-classifier', load_bert(path_of('tiny-classifier')), pieces, classified),
        describe(folder, 'tiny-llama', load_model(path_of('tiny-llama')), plain, embedded),
        describe(folder, 'tiny-mamba', load_model(path_of('tiny-mamba')), plain, embedded),
        describe(folder, 'all-minilm-l6-v2', load_bert(minilm), word_pieces(minilm, TEXTS), mean),
    ]
    entries[-1]['texts'] = [{'text': text, **entry} for text, entry in zip(TEXTS, entries[-1]['texts'])]
    with open(output_path, 'w', encoding='utf-8') as file:
        file.write('[\n' + ',\n'.join(map(json.dumps, entries)) + '\n]\n')


if __name__ == '__main__':
    main(*sys.argv[1:])

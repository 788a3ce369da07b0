"""Log-probabilities of tiny random GLM-4 and T5 models in PyTorch, float32: for test/model/architectures.test.ts.

    python ../../support/make-tiny-models.py FOLDER && python make_architectures.py FOLDER architectures.json

Both are built from the GGUF file's own tensors. Of each context the log-probabilities of all 300 tokens behind it; T5's contexts have
what is encoded (`source`) and what the decoder has said so far (`tokens`, without its start token).
"""

import hashlib
import json
import os
import sys

import numpy as np
import torch
from gguf import GGUFReader
from transformers import Glm4Config, Glm4ForCausalLM, T5Config, T5ForConditionalGeneration

GLM_PARTS = {
    'attn_norm': 'input_layernorm', 'attn_q': 'self_attn.q_proj', 'attn_k': 'self_attn.k_proj', 'attn_v': 'self_attn.v_proj',
    'attn_output': 'self_attn.o_proj', 'post_attention_norm': 'post_self_attn_layernorm', 'ffn_norm': 'post_attention_layernorm',
    'ffn_up': 'mlp.gate_up_proj', 'ffn_down': 'mlp.down_proj', 'post_ffw_norm': 'post_mlp_layernorm',
}
GLM_NAMES = {'token_embd': 'model.embed_tokens', 'output_norm': 'model.norm', 'output': 'lm_head'}
T5_NAMES = {'token_embd': 'shared', 'output': 'lm_head', 'enc.output_norm': 'encoder.final_layer_norm',
            'dec.output_norm': 'decoder.final_layer_norm'}


def glm_name(stem):
    if not stem.startswith('blk.'):
        return GLM_NAMES[stem]
    _, layer, part = stem.split('.')
    return f'model.layers.{layer}.{GLM_PARTS[part]}'


def t5_name(stem):
    if '.blk.' not in stem:
        return T5_NAMES[stem]
    stack, _, layer, part = stem.split('.')
    place = {'attn': 0, 'cross': 1, 'ffn': 1 if stack == 'enc' else 2}[part.split('_')[0]]
    if part.endswith('_norm'):
        inner = 'layer_norm'
    elif part.startswith('ffn'):
        inner = {'ffn_up': 'DenseReluDense.wi', 'ffn_down': 'DenseReluDense.wo'}[part]
    else:
        kind = 'EncDecAttention' if part.startswith('cross') else 'SelfAttention'
        inner = f"{kind}.{'relative_attention_bias' if part == 'attn_rel_b' else part[-1]}"
    return f"{'encoder' if stack == 'enc' else 'decoder'}.block.{layer}.layer.{place}.{inner}"


def load(path, name_of, make):
    reader = GGUFReader(path)
    tensors = {}
    for tensor in reader.tensors:
        stem, kind = tensor.name.rsplit('.', 1)
        tensors[f'{name_of(stem)}.{kind}'] = torch.from_numpy(np.array(tensor.data))
    if 'shared.weight' in tensors:  # Both stacks of T5 read it.
        for stack in ('encoder', 'decoder'):
            tensors[f'{stack}.embed_tokens.weight'] = tensors['shared.weight']
    prefix = reader.fields['general.architecture'].contents()
    model = make(lambda key: reader.fields[f'{prefix}.{key}'].contents()).float().eval()
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    assert not unexpected and missing in ([], ['lm_head.weight']), (missing, unexpected)  # That one is the embedding.
    return model


def make_glm(read):
    return Glm4ForCausalLM(Glm4Config(
        vocab_size=300, hidden_size=read('embedding_length'), intermediate_size=read('feed_forward_length'),
        num_hidden_layers=read('block_count'), num_attention_heads=read('attention.head_count'),
        num_key_value_heads=read('attention.head_count_kv'), head_dim=16, partial_rotary_factor=0.5, attention_bias=True,
        rms_norm_eps=read('attention.layer_norm_rms_epsilon'), rope_theta=read('rope.freq_base'), pad_token_id=0,
        rope_parameters={'rope_type': 'default', 'rope_theta': read('rope.freq_base'), 'partial_rotary_factor': 0.5},
        tie_word_embeddings=False))


def make_t5(read, own_output=True):
    model = T5ForConditionalGeneration(T5Config(
        vocab_size=300, d_model=read('embedding_length'), d_kv=read('attention.key_length'), d_ff=read('feed_forward_length'),
        num_layers=read('block_count'), num_decoder_layers=read('decoder_block_count'), num_heads=read('attention.head_count'),
        relative_attention_num_buckets=read('attention.relative_buckets_count'), feed_forward_proj='relu',
        layer_norm_epsilon=read('attention.layer_norm_rms_epsilon'), tie_word_embeddings=not own_output, decoder_start_token_id=0,
        is_encoder_decoder=True))
    if own_output:
        model.lm_head = torch.nn.Linear(read('embedding_length'), 300, bias=False)  # transformers would tie it.
    return model


@torch.inference_mode()
def read_glm(model, tokens):
    return {'tokens': tokens, 'logprobs': logprobs_of(model(torch.tensor([tokens])))}


@torch.inference_mode()
def read_t5(model, source, tokens):
    output = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([[0, *tokens]]))
    return {'source': source, 'tokens': tokens, 'logprobs': logprobs_of(output)}


def logprobs_of(output):
    logprobs = torch.log_softmax(output.logits[0, -1].double(), -1)
    return [round(value, 6) for value in logprobs.tolist()]


def main(folder, output_path):
    random = np.random.RandomState(3)
    tokens = lambda count: random.randint(3, 300, size=count).tolist()
    path_of = lambda name: os.path.join(folder, f'{name}.gguf')
    glm = load(path_of('tiny-glm4'), glm_name, make_glm)
    t5 = load(path_of('tiny-t5'), t5_name, make_t5)
    tied = load(path_of('tiny-t5-tied'), t5_name, lambda read: make_t5(read, own_output=False))
    assert tied.lm_head.weight is tied.shared.weight
    contexts = {
        'tiny-glm4': [read_glm(glm, [1, *tokens(count)]) for count in (1, 16, 150)],
        'tiny-t5': [read_t5(t5, tokens(source), tokens(count)) for source, count in ((1, 0), (20, 5), (200, 60))],
        'tiny-t5-tied': [read_t5(tied, tokens(9), tokens(7))],
    }
    lines = []
    for name, entries in contexts.items():
        with open(path_of(name), 'rb') as file:
            sha256 = hashlib.file_digest(file, 'sha256').hexdigest()
        lines.append(json.dumps({'name': name, 'sha256': sha256, 'contexts': entries}))
    with open(output_path, 'w', encoding='utf-8') as file:
        file.write('[\n' + ',\n'.join(lines) + '\n]\n')


if __name__ == '__main__':
    main(*sys.argv[1:])

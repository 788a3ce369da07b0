"""Tiny models with random weights, one for each kind that the engine has to treat in its own way.

    python make-tiny-models.py FOLDER        needs: pip install gguf

The same bytes on every machine: NumPy keeps the stream of RandomState for good. Each is 64 wide and has a vocabulary of
300 tokens with a fallback to bytes, so that any text can be put in.

    tiny-llama.gguf    plain attention
    tiny-qwen2.gguf    biases on queries, keys and values
    tiny-gemma3.gguf   sliding windows of 16 tokens in five layers of six; tied output
    tiny-qwen3moe.gguf eight experts of which two are used, in Q8_0
    tiny-mamba.gguf    recurrent: no rollback, no fork
    tiny-bert.gguf     an encoder: generates nothing
    tiny-glm4.gguf     norms behind attention and feed-forward, half of each head rotated
    tiny-t5.gguf       an encoder and a decoder, with positions as biases of attention
    tiny-t5-tied.gguf  the same as the first T5: its output is its embedding, scaled
    tiny-classifier.gguf  an encoder that ends in a head of three classes
    tiny-llama-merged.gguf    tiny-llama with 0.5 of tiny-lora-a and 2 of tiny-lora-b in its weights
    tiny-llama-merged-a.gguf  with 1 of tiny-lora-a
    tiny-lora-a.gguf   a low-rank adapter for tiny-llama: every matrix of it, rank 4, alpha 8
    tiny-lora-b.gguf   another one: queries and values, rank 8, no alpha
    tiny-lora-b-f16.gguf  the same numbers in F16
    tiny-lora-bad-….gguf  adapters that can't be used
"""

import os
import sys

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, PoolingType, TokenType
from gguf.quants import quantize

WIDTH, HEADS, KV_HEADS, FEED_FORWARD = 64, 4, 2, 128
HEAD = WIDTH // HEADS
CONTEXT, WINDOW, EPSILON = 512, 16, 1e-5
EXPERTS, EXPERTS_USED = 8, 2
BUCKETS = 32  # T5
INNER, STATE, CONVOLUTION, RANK = 2 * WIDTH, 8, 4, 4  # Mamba
PIECES = (
    '▁ e t a o i n s r h l d u c m f p g w y b v k x j q z . , ! ? 1 2 ▁t ▁a ▁th ▁the'.split())  # 300 with what is below


def vocabulary():
    """(text, score, type) of each token: three special ones, the bytes, a few pieces."""
    special = [('<unk>', 0.0, TokenType.UNKNOWN), ('<s>', 0.0, TokenType.CONTROL), ('</s>', 0.0, TokenType.CONTROL)]
    bytes_ = [(f'<0x{value:02X}>', 0.0, TokenType.BYTE) for value in range(256)]
    pieces = [(piece, -float(index), TokenType.NORMAL) for index, piece in enumerate(PIECES)]
    tokens = special + bytes_ + pieces
    return tokens + [(f'▁word{index}', -100.0, TokenType.NORMAL) for index in range(300 - len(tokens))]


def word_pieces():
    """BERT's vocabulary: special tokens, then letters as beginnings of words and as their continuations."""
    letters = 'abcdefghijklmnopqrstuvwxyz0123456789.,!?'
    tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', *(f'▁{letter}' for letter in letters), *letters]
    return tokens + [f'▁unused{index}' for index in range(300 - len(tokens))]


class TinyModel:
    """A GGUF file in the making: sizes, vocabulary and random tensors."""

    def __init__(self, folder, architecture, layers, seed, name=None):
        self.path = os.path.join(folder, f'tiny-{name or architecture}.gguf')
        self.writer = GGUFWriter(self.path + '.part', architecture)
        self.random = np.random.RandomState(seed)
        self.layers = layers
        self.writer.add_name(f'tiny {name or architecture}')
        self.writer.add_file_type(LlamaFileType.ALL_F32)
        self.writer.add_vocab_size(300)
        self.writer.add_context_length(CONTEXT)
        self.writer.add_embedding_length(WIDTH)
        self.writer.add_block_count(layers)
        self.added = {}  # name → what is added to the random tensor.

    def attention_sizes(self):
        self.writer.add_feed_forward_length(FEED_FORWARD)
        self.writer.add_head_count(HEADS)
        self.writer.add_head_count_kv(KV_HEADS)
        self.writer.add_layer_norm_rms_eps(EPSILON)
        self.writer.add_rope_dimension_count(HEAD)
        self.writer.add_rope_freq_base(10000.0)

    def byte_vocabulary(self):
        texts, scores, types = zip(*vocabulary())
        self.writer.add_tokenizer_model('llama')
        self.writer.add_tokenizer_pre('default')
        self.writer.add_token_list(list(texts))
        self.writer.add_token_scores(list(scores))
        self.writer.add_token_types(list(types))
        self.writer.add_unk_token_id(0)
        self.writer.add_bos_token_id(1)
        self.writer.add_eos_token_id(2)
        self.writer.add_add_bos_token(True)
        self.writer.add_add_space_prefix(False)

    def tensor(self, name, *shape, scale=None, shift=0.0):
        """`shape`: rows first. Without a scale: what keeps a unit vector a unit vector."""
        scale = shape[-1] ** -0.5 if scale is None else scale
        values = self.random.standard_normal(shape) * scale + shift
        values = values.astype(np.float32).astype(np.float64) + self.added.get(name, 0.0)
        self.writer.add_tensor(name, values.astype(np.float32))

    def q8_tensor(self, name, *shape):
        values = self.random.standard_normal(shape) * shape[-1] ** -0.5
        kind = GGMLQuantizationType.Q8_0
        self.writer.add_tensor(name, quantize(values.astype(np.float32), kind), raw_dtype=kind)

    def norm(self, name, size=WIDTH):
        self.tensor(name, size, scale=0.1, shift=1.0)

    def bias(self, name, size):
        self.tensor(name, size, scale=0.3)

    def embedding(self, own_output=True):
        self.tensor('token_embd.weight', 300, WIDTH, scale=1.0 if own_output else 0.25)
        self.norm('output_norm.weight')
        if own_output:
            self.tensor('output.weight', 300, WIDTH, scale=0.25)

    def attention(self, layer):
        self.norm(f'blk.{layer}.attn_norm.weight')
        for name, rows in (('q', HEADS * HEAD), ('k', KV_HEADS * HEAD), ('v', KV_HEADS * HEAD)):
            self.tensor(f'blk.{layer}.attn_{name}.weight', rows, WIDTH, scale=2 * WIDTH ** -0.5)
        self.tensor(f'blk.{layer}.attn_output.weight', WIDTH, HEADS * HEAD)

    def feed_forward(self, layer):
        self.norm(f'blk.{layer}.ffn_norm.weight')
        self.tensor(f'blk.{layer}.ffn_gate.weight', FEED_FORWARD, WIDTH)
        self.tensor(f'blk.{layer}.ffn_up.weight', FEED_FORWARD, WIDTH)
        self.tensor(f'blk.{layer}.ffn_down.weight', WIDTH, FEED_FORWARD)

    def finish(self):
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()
        os.replace(self.path + '.part', self.path)


def make_llama(folder):
    make_llama_with(folder, None, {})


def make_llama_with(folder, name, added):
    model = TinyModel(folder, 'llama', layers=2, seed=1, name=name)
    model.added = added
    model.attention_sizes()
    model.byte_vocabulary()
    model.embedding()
    for layer in range(model.layers):
        model.attention(layer)
        model.feed_forward(layer)
    model.finish()


def lora_shapes(kinds):
    """(weight, rows, columns) of tiny-llama, of its layers and, where named, of its embedding and output."""
    kv, qo = KV_HEADS * HEAD, HEADS * HEAD
    shapes = {'attn_q': (qo, WIDTH), 'attn_k': (kv, WIDTH), 'attn_v': (kv, WIDTH), 'attn_output': (WIDTH, qo),
              'ffn_gate': (FEED_FORWARD, WIDTH), 'ffn_up': (FEED_FORWARD, WIDTH), 'ffn_down': (WIDTH, FEED_FORWARD)}
    outer = [(f'{kind}.weight', 300, WIDTH) for kind in ('token_embd', 'output') if kind in kinds]
    return outer + [(f'blk.{layer}.{kind}.weight', *shapes[kind])
                    for layer in range(2) for kind in shapes if kind in kinds]


def write_adapter(folder, name, matrices, architecture='llama', alpha=None, more=None):
    """`matrices`: name → values. `more`: puts what else the file has."""
    path = os.path.join(folder, f'{name}.gguf')
    writer = GGUFWriter(path + '.part', architecture)
    writer.add_type('adapter')
    writer.add_string('adapter.type', 'lora')
    if alpha is not None:
        writer.add_float32('adapter.lora.alpha', alpha)
    if more is not None:
        more(writer)
    for tensor, values in matrices.items():
        writer.add_tensor(tensor, np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(path + '.part', path)


def make_lora(folder, name, kinds, rank, alpha, seed, dtype=np.float32):
    """Writes an adapter of numbers that F16 has, too; returns what a scale of 1 adds to each weight."""
    random = np.random.RandomState(seed)
    added, matrices = {}, {}
    for weight, rows, columns in lora_shapes(kinds):
        a = (random.standard_normal((rank, columns)) * columns ** -0.5).astype(np.float16).astype(dtype)
        b = (random.standard_normal((rows, rank)) * 0.7 * rank ** -0.5).astype(np.float16).astype(dtype)
        is_embedding = weight == 'token_embd.weight'
        # Of the embedding, A has a row per token and is looked up, and B is not transposed.
        matrices[f'{weight}.lora_a'] = b if is_embedding else a
        matrices[f'{weight}.lora_b'] = a.T if is_embedding else b
        factor = 1.0 if alpha is None else alpha / rank
        added[weight] = factor * (b.astype(np.float64) @ a.astype(np.float64))
    write_adapter(folder, name, matrices, alpha=alpha)
    return added


def make_bad_adapters(folder):
    """What llama.cpp would abort on, in its loader or when it builds a graph, or would pass over."""
    def pair(weight, a, b, dtype=np.float32):
        return {f'{weight}.lora_a': np.ones(a, dtype), f'{weight}.lora_b': np.ones(b, dtype)}

    def write(name, matrices, **options):
        write_adapter(folder, f'tiny-lora-bad-{name}', matrices, **options)

    q, qo = 'blk.0.attn_q.weight', HEADS * HEAD
    good = pair(q, (4, WIDTH), (qo, 4))
    write('alpha-text', good, more=lambda writer: writer.add_string('adapter.lora.alpha', '8'))
    write('alpha-nan', good, alpha=float('nan'))
    write('activated', good, more=lambda writer: writer.add_array('adapter.alora.invocation_tokens', [1, 2]))
    write('ranks', pair(q, (4, WIDTH), (qo, 3)))
    write('embedding-ranks', pair('token_embd.weight', (300, 4), (WIDTH, 3)))
    write('slices', pair(q, (2, 4, WIDTH), (2, qo, 4)))
    write('transposed', pair(q, (WIDTH, 4), (4, qo)))
    write('integers', pair(q, (4, WIDTH), (qo, 4), np.int32))
    write('norm', pair('blk.0.attn_norm.weight', (4, WIDTH), (1, 4)))
    write('nothing', {})
    write('tied', pair('token_embd.weight', (300, 4), (WIDTH, 4)), architecture='gemma3')


def make_llama_adapters(folder):
    every = ('token_embd', 'output', 'attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down')
    a = make_lora(folder, 'tiny-lora-a', every, 4, 8.0, seed=20)
    b = make_lora(folder, 'tiny-lora-b', ('attn_q', 'attn_v'), 8, None, seed=21)
    make_lora(folder, 'tiny-lora-b-f16', ('attn_q', 'attn_v'), 8, None, seed=21, dtype=np.float16)
    make_llama_with(folder, 'llama-merged-a', a)
    both = {name: 0.5 * a.get(name, 0.0) + 2.0 * b.get(name, 0.0) for name in {**a, **b}}
    make_llama_with(folder, 'llama-merged', both)


def make_qwen2(folder):
    model = TinyModel(folder, 'qwen2', layers=2, seed=2)
    model.attention_sizes()
    model.byte_vocabulary()
    model.embedding()
    for layer in range(model.layers):
        model.attention(layer)
        for name, rows in (('q', HEADS * HEAD), ('k', KV_HEADS * HEAD), ('v', KV_HEADS * HEAD)):
            model.bias(f'blk.{layer}.attn_{name}.bias', rows)
        model.feed_forward(layer)
    model.finish()


def make_gemma3(folder):
    model = TinyModel(folder, 'gemma3', layers=6, seed=3)
    model.attention_sizes()
    model.writer.add_key_length(HEAD)
    model.writer.add_value_length(HEAD)
    model.writer.add_sliding_window(WINDOW)
    model.byte_vocabulary()
    model.embedding(own_output=False)
    for layer in range(model.layers):
        model.attention(layer)
        model.norm(f'blk.{layer}.attn_q_norm.weight', HEAD)
        model.norm(f'blk.{layer}.attn_k_norm.weight', HEAD)
        model.norm(f'blk.{layer}.post_attention_norm.weight')
        model.feed_forward(layer)
        model.norm(f'blk.{layer}.post_ffw_norm.weight')
    model.finish()


def make_glm4(folder):
    model = TinyModel(folder, 'glm4', layers=2, seed=8)
    model.writer.add_feed_forward_length(FEED_FORWARD)
    model.writer.add_head_count(HEADS)
    model.writer.add_head_count_kv(KV_HEADS)
    model.writer.add_layer_norm_rms_eps(EPSILON)
    model.writer.add_rope_dimension_count(HEAD // 2)
    model.writer.add_rope_freq_base(10000.0)
    model.byte_vocabulary()
    model.embedding()
    for layer in range(model.layers):
        model.attention(layer)
        for name, rows in (('q', HEADS * HEAD), ('k', KV_HEADS * HEAD), ('v', KV_HEADS * HEAD)):
            model.bias(f'blk.{layer}.attn_{name}.bias', rows)
        model.norm(f'blk.{layer}.post_attention_norm.weight')
        model.norm(f'blk.{layer}.ffn_norm.weight')
        model.tensor(f'blk.{layer}.ffn_up.weight', 2 * FEED_FORWARD, WIDTH)  # Gate and up in one.
        model.tensor(f'blk.{layer}.ffn_down.weight', WIDTH, FEED_FORWARD)
        model.norm(f'blk.{layer}.post_ffw_norm.weight')
    model.finish()


def make_t5(folder):
    make_t5_like(TinyModel(folder, 't5', layers=2, seed=9), own_output=True)


def make_tied_t5(folder):
    make_t5_like(TinyModel(folder, 't5', layers=2, seed=10, name='t5-tied'), own_output=False)


def make_t5_like(model, own_output):
    writer = model.writer
    writer.add_decoder_block_count(model.layers)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_relative_attn_buckets_count(BUCKETS)
    writer.add_decoder_start_token_id(0)
    model.byte_vocabulary()
    model.tensor('token_embd.weight', 300, WIDTH, scale=1.0)
    if own_output:
        model.tensor('output.weight', 300, WIDTH, scale=0.25)
    model.norm('enc.output_norm.weight')
    model.norm('dec.output_norm.weight')
    for stack in ('enc', 'dec'):
        model.tensor(f'{stack}.blk.0.attn_rel_b.weight', BUCKETS, HEADS, scale=1.0)
        for layer in range(model.layers):
            make_t5_layer(model, f'{stack}.blk.{layer}', ('attn', 'cross_attn') if stack == 'dec' else ('attn',))
    model.finish()


def make_t5_layer(model, name, attentions):
    for attention in attentions:
        model.norm(f'{name}.{attention}_norm.weight')
        for part in 'qkv':
            model.tensor(f'{name}.{attention}_{part}.weight', HEADS * HEAD, WIDTH, scale=0.5 * WIDTH ** -0.5)
        model.tensor(f'{name}.{attention}_o.weight', WIDTH, HEADS * HEAD)
    model.norm(f'{name}.ffn_norm.weight')
    model.tensor(f'{name}.ffn_up.weight', FEED_FORWARD, WIDTH)
    model.tensor(f'{name}.ffn_down.weight', WIDTH, FEED_FORWARD)


def make_qwen3moe(folder):
    model = TinyModel(folder, 'qwen3moe', layers=2, seed=6)
    model.attention_sizes()
    model.writer.add_key_length(HEAD)
    model.writer.add_value_length(HEAD)
    model.writer.add_expert_count(EXPERTS)
    model.writer.add_expert_used_count(EXPERTS_USED)
    model.writer.add_expert_feed_forward_length(FEED_FORWARD)
    model.byte_vocabulary()
    model.embedding()
    for layer in range(model.layers):
        model.attention(layer)
        model.norm(f'blk.{layer}.attn_q_norm.weight', HEAD)
        model.norm(f'blk.{layer}.attn_k_norm.weight', HEAD)
        model.norm(f'blk.{layer}.ffn_norm.weight')
        model.tensor(f'blk.{layer}.ffn_gate_inp.weight', EXPERTS, WIDTH, scale=1.0)
        model.q8_tensor(f'blk.{layer}.ffn_gate_exps.weight', EXPERTS, FEED_FORWARD, WIDTH)
        model.q8_tensor(f'blk.{layer}.ffn_up_exps.weight', EXPERTS, FEED_FORWARD, WIDTH)
        model.q8_tensor(f'blk.{layer}.ffn_down_exps.weight', EXPERTS, WIDTH, FEED_FORWARD)
    model.finish()


def make_mamba(folder):
    model = TinyModel(folder, 'mamba', layers=2, seed=4)
    model.writer.add_feed_forward_length(0)
    model.writer.add_head_count(0)
    model.writer.add_layer_norm_rms_eps(EPSILON)
    model.writer.add_ssm_conv_kernel(CONVOLUTION)
    model.writer.add_ssm_inner_size(INNER)
    model.writer.add_ssm_state_size(STATE)
    model.writer.add_ssm_time_step_rank(RANK)
    model.byte_vocabulary()
    model.embedding()
    for layer in range(model.layers):
        make_mamba_layer(model, f'blk.{layer}')
    model.finish()


def make_mamba_layer(model, name):
    model.norm(f'{name}.attn_norm.weight')
    model.tensor(f'{name}.ssm_in.weight', 2 * INNER, WIDTH)
    model.tensor(f'{name}.ssm_conv1d.weight', INNER, CONVOLUTION)
    model.bias(f'{name}.ssm_conv1d.bias', INNER)
    model.tensor(f'{name}.ssm_x.weight', RANK + 2 * STATE, INNER)
    model.tensor(f'{name}.ssm_dt.weight', INNER, RANK)
    model.bias(f'{name}.ssm_dt.bias', INNER)
    model.writer.add_tensor(f'{name}.ssm_a', -np.tile(np.arange(1, STATE + 1, dtype=np.float32), (INNER, 1)))
    model.norm(f'{name}.ssm_d', INNER)
    model.tensor(f'{name}.ssm_out.weight', WIDTH, INNER)


def make_bert(folder):
    make_bert_like(TinyModel(folder, 'bert', layers=2, seed=5), PoolingType.MEAN, segments=2)


def make_classifier(folder):
    model = TinyModel(folder, 'bert', layers=2, seed=7, name='classifier')
    model.writer.add_classifier_output_labels(['negative', 'neutral', 'positive'])
    model.tensor('cls.weight', WIDTH, WIDTH)
    model.bias('cls.bias', WIDTH)
    model.tensor('cls.output.weight', 3, WIDTH)
    model.bias('cls.output.bias', 3)
    make_bert_like(model, PoolingType.RANK, segments=1)


def make_bert_like(model, pooling, segments):
    writer = model.writer
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(EPSILON)
    writer.add_causal_attention(False)
    writer.add_pooling_type(pooling)
    add_word_pieces(writer, segments)
    for name, rows in (('token_embd', 300), ('token_types', segments), ('position_embd', CONTEXT)):
        model.tensor(f'{name}.weight', rows, WIDTH, scale=1.0)
    add_layer_norm(model, 'token_embd_norm')
    for layer in range(model.layers):
        make_bert_layer(model, f'blk.{layer}')
    model.finish()


def add_word_pieces(writer, segments):
    tokens = word_pieces()
    writer.add_tokenizer_model('bert')
    writer.add_tokenizer_pre('default')
    writer.add_token_type_count(segments)
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.CONTROL if token.startswith('[') else TokenType.NORMAL for token in tokens])
    writer.add_pad_token_id(0)
    writer.add_unk_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_sep_token_id(3)
    writer.add_mask_token_id(4)


def add_layer_norm(model, name):
    model.norm(f'{name}.weight')
    model.bias(f'{name}.bias', WIDTH)


def make_bert_layer(model, name):
    for part in ('attn_q', 'attn_k', 'attn_v', 'attn_output'):
        model.tensor(f'{name}.{part}.weight', WIDTH, WIDTH)
        model.bias(f'{name}.{part}.bias', WIDTH)
    add_layer_norm(model, f'{name}.attn_output_norm')
    model.tensor(f'{name}.ffn_up.weight', FEED_FORWARD, WIDTH)
    model.bias(f'{name}.ffn_up.bias', FEED_FORWARD)
    model.tensor(f'{name}.ffn_down.weight', WIDTH, FEED_FORWARD)
    model.bias(f'{name}.ffn_down.bias', WIDTH)
    add_layer_norm(model, f'{name}.layer_output_norm')


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for make in (make_llama, make_llama_adapters, make_bad_adapters, make_qwen2, make_gemma3, make_qwen3moe, make_mamba, make_bert, make_classifier, make_glm4, make_t5, make_tied_t5):
        make(folder)


if __name__ == '__main__':
    main(*sys.argv[1:])

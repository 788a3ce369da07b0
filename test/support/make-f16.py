"""Writes the F16 twin of a GGUF file: matrices dequantised and rounded to float16, vectors (norms, biases) kept in float32.

    python make-f16.py INPUT.gguf OUTPUT.gguf        needs: pip install gguf

The same input gives the same bytes, so that reference numbers can name the file by its hash.
"""

import os
import sys

import numpy as np
from gguf import GGUFReader, GGUFWriter, GGUFValueType, LlamaFileType
from gguf.quants import dequantize

SKIPPED_KEYS = {'general.architecture', 'general.file_type', 'general.quantization_version'}  # The writer adds its own.


def copy_metadata(reader, writer):
    for name, field in reader.fields.items():
        if name.startswith('GGUF.') or name in SKIPPED_KEYS:
            continue
        element = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], element)
    writer.add_file_type(LlamaFileType.MOSTLY_F16)


def copy_tensors(reader, writer):
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, values.astype(np.float16 if values.ndim > 1 else np.float32))


def main(source, target):
    reader = GGUFReader(source)
    part = f'{target}.{os.getpid()}.part'  # Renamed when complete: nobody ever sees half a file.
    writer = GGUFWriter(part, reader.fields['general.architecture'].contents())
    copy_metadata(reader, writer)
    copy_tensors(reader, writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(part, target)


if __name__ == '__main__':
    main(*sys.argv[1:])

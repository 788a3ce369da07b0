// OpenVINO GenAI's continuous batching with its prefix cache, in Python.
import { fileURLToPath } from 'node:url';
import { environmentPython, missingUnless } from '../peers.mjs';

const python = environmentPython('openvino-genai');

export default {
  name: 'openvino-genai',
  isQuick: false,
  operations: ['generate', 'turn', 'score', 'choose', 'serve'],
  missing: () => missingUnless(python, 'openvino-genai'),
  configurations: () => ['prefix cache'],
  program: { command: python, args: [fileURLToPath(new URL('openvino_child.py', import.meta.url))] },
};

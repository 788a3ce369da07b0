// OpenVINO GenAI's continuous batching with its prefix cache, in Python.
import { fileURLToPath } from 'node:url';
import { environmentPackage, environmentPython, missingUnless } from '../peers.mjs';

const python = environmentPython('openvino-genai');

export default {
  name: 'openvino-genai',
  isQuick: false,
  operations: ['generate', 'turn', 'score', 'choose', 'serve'],
  missing: () => missingUnless(environmentPackage('openvino-genai', 'openvino_genai'), 'openvino-genai'),
  configurations: () => ['prefix cache'],
  program: { command: python, args: [fileURLToPath(new URL('openvino_child.py', import.meta.url))] },
};

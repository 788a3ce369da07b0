// llama-cpp-python, from its source on PyPI: one sequence, requests one after another.
import { fileURLToPath } from 'node:url';
import { environmentPackage, environmentPython, missingUnless } from '../peers.mjs';

const python = environmentPython('llama-cpp-python');

export default {
  name: 'llama-cpp-python',
  isQuick: false,
  operations: ['generate', 'turn', 'score', 'choose', 'serve'],
  missing: () => missingUnless(environmentPackage('llama-cpp-python', 'llama_cpp'), 'llama-cpp-python'),
  configurations: ({ operation }) => (operation === 'choose' ? ['logits of all', 'token by token'] : ['one sequence']),
  program: { command: python, args: [fileURLToPath(new URL('llama_cpp_python_child.py', import.meta.url))] },
};

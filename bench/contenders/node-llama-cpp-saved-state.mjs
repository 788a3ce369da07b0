// node-llama-cpp with its best known workaround for a shared context: the state saved once, loaded into each sequence.
import { openNodeLlamaCpp } from './node-llama-cpp-session.mjs';

export default {
  name: 'node-llama-cpp-saved-state',
  isQuick: false,
  operations: ['turn'],
  missing: () => undefined,
  configurations: () => ['saved state'],
  open: openNodeLlamaCpp,
};

// This package's engine on ggml's own kernels: what our kernels are worth.
import { openWinnow } from './winnow-session.mjs';

export default {
  name: 'winnow-ggml',
  isQuick: false,
  operations: ['generate', 'turn', 'score', 'choose', 'serve', 'mixed'],
  missing: () => undefined,
  configurations: () => ['default'],
  open: (setup) => openWinnow(setup, 'ggml'),
};

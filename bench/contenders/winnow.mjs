// This package, as a user gets it.
import { openWinnow } from './winnow-session.mjs';

export default {
  name: 'winnow',
  isQuick: true,
  operations: ['generate', 'turn', 'score', 'choose', 'serve', 'overhead', 'rows', 'sift', 'mixed'],
  missing: () => undefined,
  configurations: () => ['default'],
  open: (setup) => openWinnow(setup, 'auto'),
};

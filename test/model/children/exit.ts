// Ends with a model open, in the way that the first argument names. The parent looks at the exit code.
import { loadModel } from '../../../lib/index.js';

const [, , way, source] = process.argv as [string, string, string, string];

async function main(): Promise<void> {
  const model = await loadModel(source, { contextSize: 512, gpuLayers: 0 });
  if (way === 'idle') return; // Nothing keeps the process alive but an open model.
  const maxTokens = way === 'unread' ? 8 : 400;
  const stream = model.generate({ prompt: 'The river', maxTokens, ignoreEos: true });
  if (way === 'unread') return; // Nobody reads, nobody waits.
  for await (const _ of stream) {
    if (way === 'exit') process.exit(0);
    if (way === 'throw') throw new Error('thrown on purpose');
    if (way === 'close') return model.close();
  }
}

void main();

import { loadModel, type LoadOptions, type LoadProgress, type Model } from '../index.js';
import { bar, megabytes, percent, StatusLine } from './terminal.js';

const lineMs = 10_000; // Between two progress lines where nothing can be redrawn.

/** Loads a model for a command, with progress on stderr. */
export async function loadWithProgress(source: string, options: LoadOptions): Promise<Model> {
  const status = fetchStatus(source);
  try {
    return await loadModel(source, { ...options, onProgress: (step) => status.update(step) });
  } finally {
    status.clear();
  }
}

/** Shows how far fetching and loading have come, until it is cleared: what comes late is not shown. */
export function fetchStatus(source: string): { update(step: LoadProgress): void; clear(): void } {
  const status = new StatusLine();
  let isOver = false;
  const progress = process.stderr.isTTY ? (text: string) => status.update(text) : plainProgress();
  return {
    update: (step) => {
      if (!isOver) progress(describe(source, step));
    },
    clear: () => {
      isOver = true;
      status.clear();
    },
  };
}

function plainProgress(): (text: string) => void {
  let last = 0;
  return (text) => {
    if (performance.now() - last < lineMs && last) return;
    last = performance.now();
    console.error(text);
  };
}

const verbs: Record<LoadProgress['phase'], string> = {
  waiting: 'waiting for another process that fetches',
  download: 'downloading',
  unpack: 'unpacking',
  verify: 'checking the hash of',
  check: 'trying out the vocabulary of',
  load: 'loading',
};

function describe(source: string, { phase, loaded, total }: LoadProgress): string {
  const what = `${verbs[phase]} ${source}`;
  if (!total) return `${what} …`;
  const done = percent(loaded / total);
  return phase === 'load' ? `${what} ${done}` : `${what} ${bar(loaded / total)} ${done} of ${megabytes(total)}`;
}

// A contender for the tests of bench/frame: counts right, takes the seconds that it is told to claim, computes nothing.
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface FakeBehaviour {
  /** Gets one line per call. */
  journal?: string;
  name?: string;
  /** Claimed by configuration; 'never' = no answer. */
  seconds?: Record<string, number | 'never'>;
  /** Added to every log-probability. */
  shift?: number;
  /** What a run counts, over the right counts. */
  counts?: Record<string, number | null>;
  /** Fails in this timed run, from 1. */
  failsInRun?: number;
}

interface Workload {
  requests: number[][];
  maxTokens: number;
}

type Serve = (contender: unknown, lines: AsyncIterable<string>, write: (line: string) => void) => Promise<void>;

const behaviour = JSON.parse(process.argv[2] ?? '{}') as FakeBehaviour;
const { serve } = (await import(new URL('../../../../bench/frame/serve.mjs', import.meta.url).href)) as {
  serve: Serve;
};

function note(line: string): void {
  if (behaviour.journal) appendFileSync(behaviour.journal, `${behaviour.name} ${line}\n`);
}

function open({ configuration }: { configuration: string }) {
  let runs = -1; // The warm-up is run 0.
  note(`open ${configuration}`);
  console.log('a library says hello'); // Which is no reply.
  return {
    info: { vocabularySize: 5000 },
    generate: async ({ requests, maxTokens }: Workload) => {
      runs++;
      note(`run ${requests[0].slice(0, 2).join(',')} ${requests.length}`);
      if (runs > 0 && runs === behaviour.failsInRun) throw new Error('out of luck');
      const seconds = behaviour.seconds?.[configuration] ?? 1;
      if (seconds === 'never' && runs > 0) await new Promise(() => setInterval(() => {}, 1000));
      const evaluatedTokens = requests.reduce((total, { length }) => total + length, 0);
      const counted = { generatedTokens: requests.length * maxTokens, evaluatedTokens, firstTokenMs: null };
      return { ...counted, ...behaviour.counts, seconds };
    },
    logprobs: ({ tokens, from }: { tokens: number[]; from: number }) =>
      tokens.slice(from).map((token) => -token / 1000 + (behaviour.shift ?? 0)),
    close: () => note('close'),
  };
}

const lines = createInterface({ input: process.stdin });
await serve({ open }, lines, (line) => process.stdout.write(`${line}\n`));
process.exit(0);

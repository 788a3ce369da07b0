import test from 'ava';
import { loadBench } from '../support/load-bench.js';

interface Result {
  firstTokenMs: number[];
  interTokenMs: number[] | null;
  finishMs: number[];
}
interface Latencies {
  follow: (index: number, sinceMs?: number) => () => void;
  waitUntil: (ms: number) => Promise<void>;
  toResult: () => Result;
}
interface Contender {
  name: string;
  operations: string[];
  refuses?: (workload: object) => string | undefined;
}
interface Exports {
  Latencies: new () => Latencies;
  readServerEvents: (body: AsyncIterable<Uint8Array>) => AsyncGenerator<unknown>;
  contenders: Contender[];
  logprobOf: (text: string, probs: { tok_str: string; prob: number }[]) => number | null;
  memoryOf: (pid: number) => { residentBytes: number; anonymousBytes: number; peakBytes: number } | undefined;
  ownMemory: () => { residentBytes: number; peakBytes: number };
}
const { Latencies, readServerEvents, contenders, logprobOf, memoryOf, ownMemory } = await loadBench<Exports>(
  'contenders/latencies.mjs',
  'contenders/server-events.mjs',
  'contenders/index.mjs',
  'contenders/ik-llama.mjs',
  'frame/process-memory.mjs',
);

/** performance.now() says these milliseconds, one after another. */
function withClock<Value>(times: number[], action: () => Value): Value {
  const real = performance.now.bind(performance);
  performance.now = () => times.shift() ?? NaN;
  try {
    return action();
  } finally {
    performance.now = real;
  }
}

test('latencies count from when a request was due; gaps are those between its own tokens', (t) => {
  const result = withClock([1000, 1030, 1040, 1045, 1100], () => {
    const latencies = new Latencies();
    const [first, second] = [latencies.follow(0), latencies.follow(1, 25)];
    for (const arrive of [first, second, first, second]) arrive();
    return latencies.toResult();
  });
  t.deepEqual(result, { firstTokenMs: [30, 15], interTokenMs: [15, 60], finishMs: [45, 75] });
});

test('requests of one token have no gaps', (t) => {
  const latencies = new Latencies();
  latencies.follow(0)();
  t.is(latencies.toResult().interTokenMs, null);
});

async function* chunks(text: string, size: number) {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

for (const size of [1, 7, 1000]) {
  test(`server-sent events are read whole from chunks of ${size} bytes`, async (t) => {
    const text = 'data: {"content":"é"}\n\n: a comment\n\ndata: {"stop":true}\n\ndata: [DONE]\n\n';
    const events: unknown[] = [];
    for await (const event of readServerEvents(chunks(text, size))) events.push(event);
    t.deepEqual(events, [{ content: 'é' }, { stop: true }]);
  });
}

test('every contender has a name of its own and knows at least one operation', (t) => {
  t.is(new Set(contenders.map(({ name }) => name)).size, contenders.length);
  t.true(contenders.every(({ operations }) => operations.length > 0));
});

test('transformers refuses what would take it hours, and says so', (t) => {
  const { refuses } = contenders.find(({ name }) => name === 'transformers')!;
  const texts = (count: number) => ({
    operation: 'score',
    texts: Array.from({ length: count }, () => Array.from({ length: 64 }, () => 1)),
  });
  t.is(refuses?.(texts(100)), undefined);
  t.regex(refuses?.(texts(1000)) ?? '', /64000 tokens are too many/);
});

test('a log-probability is found by the text of the token', (t) => {
  const probs = [
    { tok_str: ' a', prob: 0.5 },
    { tok_str: 'b', prob: 0.25 },
    { tok_str: 'b', prob: 0.125 },
  ];
  t.is(logprobOf('b', probs), Math.log(0.25));
  t.is(logprobOf('c', probs), null);
});

test('the memory of a process is at most its peak', (t) => {
  const own = ownMemory();
  t.true(own.residentBytes > 1e6 && own.residentBytes <= own.peakBytes);
  if (process.platform !== 'linux') return;
  const { residentBytes, anonymousBytes } = memoryOf(process.pid)!;
  t.true(anonymousBytes > 0 && anonymousBytes <= residentBytes);
  t.is(memoryOf(0), undefined);
});

// The same kind of rows through files and from memory (scenarios/batch-rows.mjs), on one loaded model.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { formatOf } from '../../dist/batch/format.js';
import { runJob } from '../../dist/batch/job.js';
import { scoreInputRows } from '../../dist/batch/score-file.js';

export async function runRows(model, { filed, remembered }) {
  const [fromFile, fromMemory] = [filed, remembered].map((items) => items.map((item) => asTexts(model, item)));
  const memorySeconds = await timed(() => scoreRemembered(model, fromMemory));
  const file = await scoreFiled(model, fromFile);
  const scores = file.scores + memorySeconds.result;
  return { rows: file.rows, scores, fileSeconds: file.seconds, memorySeconds: memorySeconds.seconds };
}

/** Files hold text; tokens that follow each other may be others when they are read again, of about the same number. */
function asTexts(model, { text, choices }) {
  return { context: model.detokenize(text), continuations: choices.map((choice) => ` ${model.detokenize(choice)}`) };
}

async function scoreRemembered(model, items) {
  const scored = await Promise.all(
    items.map(({ context, continuations }) => model.logLikelihood({ prompt: context }, continuations)),
  );
  return scored.flat().length;
}

async function scoreFiled(model, items) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'winnow-rows-'));
  const [input, output] = ['rows.jsonl', 'scores.jsonl'].map((name) => path.join(folder, name));
  try {
    await writeFile(input, items.map((item, id) => `${JSON.stringify({ id, ...item })}\n`).join(''));
    const { seconds, result } = await timed(() =>
      runJob(jobOf(input, output), (rows) => scoreInputRows(model, rows, {})),
    );
    const rows = (await readFile(output, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    return { seconds, rows: result.rows, scores: rows.flatMap(({ scores = [] }) => scores).length };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const jobOf = (input, output) => ({
  kind: 'score',
  ...{ input, inputFormat: formatOf(input), output, outputFormat: formatOf(output), model: [], options: {}, keep: [] },
  ...{ idField: 'id', limit: Infinity, shard: { index: 1, count: 1 }, duplicates: 'error', maxErrors: Infinity },
  ...{ ordered: false, force: false },
});

async function timed(work) {
  const start = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - start) / 1000 };
}

// winnow score on the real engine.
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { jsonLines, killAgainAndAgain, prepareJobs, removeOutput } from '../support/score-process.js';

const timeoutMs = 1_200_000;
const kills = Number(process.env.WINNOW_TEST_KILLS || 3);

interface Result {
  id: string;
  scores: { logprob: number; tokens: number; isGreedy: boolean }[];
}

test.serial(
  'a job that is killed again and again gives the bytes of an uninterrupted one, and the scores of the library',
  async (t) => {
    t.timeout(timeoutMs);
    const { write, start, run, lines, inFolder } = await prepareJobs(t, { model: defaultModel });
    const rows = Array.from({ length: 120 }, (_, i) => ({
      id: `r${i}`,
      context: `Fact ${i % 10}: the number ${i % 10} is`,
      continuations: [' even.', ` followed by ${i}.`],
    }));
    await write('rows.jsonl', jsonLines(rows));
    const args = (output: string) => ['score', '-i', inFolder('rows.jsonl'), '-o', inFolder(output)];
    const began = performance.now();
    const whole = await run(args('whole.jsonl'));
    t.is(whole.code, 0, whole.stderr);
    const took = performance.now() - began;
    let isWhole = true;
    const onEnd = async () => {
      isWhole &&= (await lines('out.jsonl')).length === rows.length;
      await removeOutput(inFolder('out.jsonl'));
    };
    await killAgainAndAgain(() => start(args('out.jsonl')), { kills, withinMs: took, onEnd });
    t.true(isWhole);
    const last = await run(args('out.jsonl'));
    t.is(last.code, 0, last.stderr);
    const model = await loadModel(defaultModel);
    try {
      const [results, expected] = [await lines('out.jsonl'), await lines('whole.jsonl')].map((all) => all.toSorted());
      if (model.info.capabilities.batchInvariant) t.deepEqual(results, expected);
      t.is(new Set(results.map((line) => (JSON.parse(line) as Result).id)).size, rows.length);
      t.is(results.length, rows.length);
      const { id, scores } = JSON.parse(results[0]) as Result;
      const { context, continuations } = rows.find((row) => row.id === id)!;
      const alone = await model.logLikelihood({ prompt: context }, continuations);
      for (const [i, { logprob, tokens }] of alone.entries()) {
        t.is(scores[i].tokens, tokens);
        t.true(Math.abs(scores[i].logprob - logprob) < 1e-3);
      }
    } finally {
      await model.close();
    }
  },
);

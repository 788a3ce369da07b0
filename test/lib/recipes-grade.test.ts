import test from 'ava';
import { gradeAnswer } from '../../lib/recipes/grade.js';
import { collect, openFake } from '../support/open-fake.js';

const messages = [
  { role: 'user', content: 'What is 2 + 2?' },
  { role: 'assistant', content: '4' },
];

test('an answer’s grade is the mean level under the judge’s probabilities', async (t) => {
  const probabilities = [0.125, 0.125, 0.25, 0.5];
  const { model } = await openFake({ logprob: ({ index }) => Math.log(probabilities[index]) });
  const events = await collect(gradeAnswer(model, { messages }));
  t.deepEqual(
    events.map(({ type }) => type),
    ['score', 'graded', 'finish'],
  );
  const { grade, level, report } = await gradeAnswer(model, { messages }).result();
  t.true(Math.abs(grade - 2.125) < 1e-9); // 0.125 + 2 · 0.25 + 3 · 0.5
  t.is(level, 3);
  t.deepEqual(report.asked, [{ stage: 'grade', kind: 'classify', count: 1 }]);
});

test('levels can be one’s own', async (t) => {
  const { native, model } = await openFake();
  await gradeAnswer(model, { messages, levels: ['wrong', 'right'] }).result();
  t.regex(native.detokenize(native.submitted[0].questions[0].suffix, true), /0: wrong\n1: right/);
  t.throws(() => gradeAnswer(model, { messages, level: 3 } as never), { code: 'ERR_OPTION_UNKNOWN' });
});

import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { rougeL } from '../../lib/recipes/formulas/overlap.js';
import { dromedaryPrompts } from '../../lib/recipes/prompts/dromedary.js';
import { SegmentSplitter } from '../../lib/recipes/segments.js';
import { selfAlign } from '../../lib/recipes/self-align-pipeline.js';
import { selfInstruct, trainingRows, verboseAnswers } from '../../lib/recipes/self-align-stages.js';
import { alignedAnswer, alignedAnswers } from '../../lib/recipes/self-align.js';
import type { FakeOptions } from '../support/fake-native.js';
import { collect, openFake as openSmallFake } from '../support/open-fake.js';
import { inTurn } from '../support/scripted.js';

/** The principles need room. */
const openFake = (options: FakeOptions) => openSmallFake({ ...options, info: { contextSize: 4096 } });

test('ROUGE-L: twice the common words in order, by all words', (t) => {
  t.is(rougeL('the cat sat', 'The cat sat!'), 1);
  t.is(rougeL('the cat sat on the mat', 'the mat on the cat'), (2 * 3) / 11); // the … on the, the … the cat.
  t.is(rougeL('a b c d', 'd c b a'), 0.25);
  t.is(rougeL('one', 'two'), 0);
  t.is(rougeL('', '…'), 0);
});

const split = (...texts: string[]) => {
  const splitter = new SegmentSplitter('\nMeadow:');
  return [...texts.flatMap((text) => splitter.push(text)), ...splitter.end()].map(({ segment, text }) => [
    segment,
    text,
  ]);
};

test('thoughts and answer are told apart, wherever tokens end', (t) => {
  t.deepEqual(split('think\nMeadow: yes'), [
    ['thoughts', 'think'],
    ['answer', ' yes'],
  ]);
  t.deepEqual(split('think', '\nMea', 'dow', ': y', 'es'), [
    ['thoughts', 'think'],
    ['answer', ' y'],
    ['answer', 'es'],
  ]);
  t.deepEqual(split('a\n', 'b\nMeat', '.'), [
    ['thoughts', 'a'],
    ['thoughts', '\nb\nMeat'],
    ['thoughts', '.'],
  ]);
  t.deepEqual(split('a\nMea'), [
    ['thoughts', 'a'],
    ['thoughts', '\nMea'],
  ]);
  t.deepEqual(split('\nMeadow:', '\nMeadow: x'), [['answer', '\nMeadow: x']]);
});

test('there are 16 principles with the paper’s names, and 5 worked examples with thoughts', (t) => {
  const names = [...dromedaryPrompts.principles.matchAll(/^(\d+) \(([^)]+)\)\./gm)].map(([, number, name]) => [
    Number(number),
    name,
  ]);
  t.deepEqual(
    names,
    ['ethical', 'informative', 'helpful', 'question assessment', 'reasoning', 'multi-aspect', 'candor']
      .concat(['knowledge recitation', 'static', 'clarification', 'numerical sensitivity', 'dated knowledge'])
      .concat(['step-by-step', 'balanced and informative perspectives', 'creative', 'operational'])
      .map((name, index) => [index + 1, name]),
  );
  t.is(dromedaryPrompts.principles.match(/^Meadow \(internal thoughts\):/gm)?.length, 5);
});

test('an answer streams its thoughts and its words apart', async (t) => {
  const { native, model } = await openFake({
    answer: () => ({ pieces: [' Simple', ' (5: reasoning).', '\n', 'Meadow', ':', ' Because', '.'] }),
  });
  const events = await collect(alignedAnswer(model, { question: 'Why?' }));
  const text = (segment: string) =>
    events.map((event) => (event.type === 'segment' && event.segment === segment ? event.text : '')).join('');
  t.is(text('thoughts'), ' Simple (5: reasoning).');
  t.is(text('answer'), ' Because.');
  const finish = events.at(-1);
  if (finish?.type !== 'finish') return t.fail();
  t.deepEqual([finish.thoughts, finish.answer], ['Simple (5: reasoning).', 'Because.']);
  t.is(finish.report.asked.length, 2);
  const [, { topP, temperature, maxTokens, biasTokens, biasValues }] = native.submitted;
  t.deepEqual([topP, temperature, maxTokens], [0.9, 0.5, 256]);
  t.deepEqual([...biasValues], [-100, -100]);
  t.deepEqual([...biasTokens].map((token) => native.detokenize(Int32Array.of(token), true)).sort(), [
    ' Sorry',
    'Sorry',
  ]);
});

test('thoughts without an end are no answer', async (t) => {
  const { model } = await openFake({ answer: inTurn([' and so on']) });
  const { answer, thoughts, report } = await alignedAnswer(model, { question: 'Why?' }).result();
  t.deepEqual([answer, thoughts], ['', 'and so on']);
  t.deepEqual(report.dropped, [{ item: 'answer', reason: 'the thoughts did not come to an end' }]);
});

test('64 questions: the principles are evaluated once and pinned while they run', async (t) => {
  const { native, model } = await openFake({ answer: () => ({ pieces: [' t\nMeadow: a'] }) });
  const questions = Array.from({ length: 64 }, (_, index) => `Question ${index}?`);
  const rows = await collect(alignedAnswers(model, questions, { seed: 1 }));
  t.deepEqual(
    rows.map(({ question, answer }) => [question, answer]),
    questions.map((question) => [question, 'a']),
  );
  const [pin, ...asked] = native.submitted;
  t.true(pin.pin);
  t.is(asked.length, 64);
  t.true(asked.every(({ parent }) => parent === 1));
  const own = asked.reduce((sum, { prompt }) => sum + prompt.length, 0);
  t.is(
    rows.reduce((sum, { evaluatedTokens }) => sum + evaluatedTokens, 0),
    own,
  );
  t.true(own < pin.prompt.length * 2);
  t.is(new Set(rows.map(({ seed }) => seed)).size, 64);
  t.deepEqual(native.openPrefixes, []);
});

test('new questions: numbered lines, those that are like earlier ones dropped with the reason', async (t) => {
  const { native, model } = await openFake({
    answer: inTurn([
      ' Why is grass green?\n2. Short one\n3. Why is the grass green?',
      ' How do bees find home?\n2. What is glass made of?',
    ]),
  });
  const rows = await collect(
    selfInstruct(model, { count: 2, seeds: ['What is a pond?'], topics: ['plants', 'things'], atOnce: 1 }),
  );
  t.deepEqual(rows, [
    { question: 'Why is grass green?', topic: 'plants', kept: true },
    { question: 'Short one', topic: 'plants', kept: false, reason: 'it has 2 words' },
    { question: 'Why is the grass green?', topic: 'plants', kept: false, reason: 'it is like "Why is grass green?"' },
    { question: 'How do bees find home?', topic: 'things', kept: true },
  ]);
  t.regex(
    native.detokenize(native.submitted[0].prompt, true),
    /1\. What is a pond\?\n\nHere are 8 more questions, all of them about plants:\n1\.$/,
  );
  t.deepEqual([native.submitted[0].maxTokens, native.submitted[0].topP], [384, 0.98]);
});

test('new questions: it gives up after so many draws', async (t) => {
  const { native, model } = await openFake({ answer: inTurn([' What is a pond?']) });
  const rows = await collect(selfInstruct(model, { count: 5, seeds: ['What is a pond?'], draws: 3, atOnce: 1 }));
  t.is(rows.filter(({ kept }) => kept).length, 0);
  t.is(native.submitted.length, 3);
});

test('training rows have neither principles nor thoughts, and none without an answer', async (t) => {
  async function* rows() {
    yield { question: 'Why?', thoughts: '(5)', answer: 'Because.' };
    yield { question: 'How?', thoughts: 'endless', answer: '' };
  }
  t.deepEqual(await collect(trainingRows(rows())), [
    {
      messages: [
        { role: 'user', content: 'Why?' },
        { role: 'assistant', content: 'Because.' },
      ],
    },
  ]);
});

test('long answers are drawn under a system message that their rows do without', async (t) => {
  const { native, model } = await openFake({ answer: inTurn(['Long.']) });
  const rows = await collect(verboseAnswers(model, ['Why?', 'How?']));
  t.deepEqual(
    rows.map(({ messages }) => messages.map(({ role }) => role).join()),
    ['user,assistant', 'user,assistant'],
  );
  t.regex(native.detokenize(native.submitted[0].prompt, true), /system\nYou give long/);
  const { maxTokens, temperature, topP } = native.submitted[1];
  t.deepEqual([maxTokens, temperature, topP], [512, 0.3, 0.7]);
});

test('the four stages write their files, each from the one before it', async (t) => {
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'winnow-align-')), 'aligned');
  const { model } = await openFake({
    answer: inTurn([' Why is grass green?\n2. Who made glass first?', ' t\nMeadow: a', ' endless', 'long']),
  });
  const options = { folder, count: 2, answers: { atOnce: 1 }, instruct: { atOnce: 1 }, seed: 1 };
  const events = await collect(selfAlign(model, options));
  t.deepEqual(
    events.flatMap((event) => (event.type === 'file' ? [[event.stage, event.rows]] : [])),
    [
      ['questions', 2],
      ['answers', 2],
      ['training', 1],
      ['verbose', 2],
    ],
  );
  const read = (name: string) =>
    readFileSync(path.join(folder, `${name}.jsonl`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  t.deepEqual(read('questions')[0], { question: 'Why is grass green?', topic: 'the history of everyday things' });
  t.deepEqual(
    read('answers').map(({ thoughts, answer }) => [thoughts, answer]),
    [
      ['t', 'a'],
      ['endless', ''],
    ],
  );
  t.deepEqual(read('training'), [
    {
      messages: [
        { role: 'user', content: 'Why is grass green?' },
        { role: 'assistant', content: 'a' },
      ],
    },
  ]);
});

import test from 'ava';
import type { BlenderBotOptions } from '../../lib/recipes/blenderbot.js';
import { blenderBot } from '../../lib/recipes/blenderbot.js';
import { LongTermMemory } from '../../lib/recipes/long-term-memory.js';
import { topicChanges } from '../../lib/recipes/prompts/blenderbot.js';
import type { FakeOptions } from '../support/fake-native.js';
import { collect, openFake } from '../support/open-fake.js';

const messages = [
  { role: 'user', content: 'Hi, I am Ada.' },
  { role: 'assistant', content: 'Hello Ada!' },
  { role: 'user', content: 'How deep is Lake Baikal?' },
];

interface Script {
  search?: number;
  memory?: number;
  /** P(unsafe) of the user's turn, and of the answer. */
  unsafe?: [number, number];
  says?: Record<string, string>;
}

/** Decisions by their labels; texts by the cue that the prompt ends in. */
function scripted(script: Script): FakeOptions & { texts: string[] } {
  const says = {
    query: ' depth of Baikal\n',
    knowledge: ' It is 1,642 m deep.\n',
    memory: ' Person 1 is called Ada.',
    topic: ' lakes\n',
    writing: ' nothing\n',
    response: ' It is very deep.',
    ...script.says,
  };
  const cues = {
    'Query:': says.query,
    'Interesting Fact:': says.knowledge,
    'Personal Fact:': says.memory,
    'Previous Topic:': says.topic,
    'Memory: Person 1': says.writing,
    'Person 2:': says.response,
  };
  let safetyAsked = 0;
  return {
    texts: [],
    logprob: ({ label, suffix, index }) => {
      const p = suffix.endsWith('Search Decision:')
        ? (script.search ?? 0.1)
        : suffix.endsWith('Memory Decision:')
          ? (script.memory ?? 0.1)
          : undefined;
      if (p !== undefined) return Math.log(index === 0 ? p : 1 - p);
      const unsafe = (script.unsafe ?? [0.1, 0.1])[Math.floor(safetyAsked++ / 2)];
      return Math.log(label.trim() === 'Yes' ? unsafe : 1 - unsafe);
    },
    answer: (_, request) => {
      const prompt = vocabulary!.detokenize(request.prompt, true);
      const [, text] = Object.entries(cues).find(([cue]) => prompt.endsWith(cue))!;
      return { pieces: [text] };
    },
  };
}
let vocabulary: { detokenize(tokens: Int32Array, special: boolean): string } | undefined;

async function run(script: Script, options: Partial<BlenderBotOptions> = {}) {
  const { native, model } = await openFake(scripted(script));
  vocabulary = native;
  const events = await collect(blenderBot(model, { messages, seed: 1, ...options }));
  const finish = events.at(-1);
  if (finish?.type !== 'finish') throw new Error('no finish');
  const texts = native.submitted.map(({ prompt }) => native.detokenize(prompt, true));
  return { native, events, texts, result: finish };
}

test.serial('decision → query → knowledge → response, all on one history', async (t) => {
  const search = (query: string) => (query === 'depth of Baikal' ? ['Lake Baikal: 1,642 m.'] : []);
  const { native, result, texts, events } = await run({ search: 0.9 }, { search });
  t.deepEqual(
    events.filter(({ type }) => type !== 'score').map(({ type }) => type),
    ['decision', 'decision', 'knowledge', 'response', 'finish'],
  );
  t.is(result.query, 'depth of Baikal');
  t.deepEqual(
    result.responses.map(({ source, knowledge }) => [source, knowledge]),
    [['search', 'It is 1,642 m deep.']],
  );
  t.is(result.text, 'It is very deep.');
  t.true(Math.abs(result.decisions!.search - 0.9) < 1e-9);
  t.true(texts[0].endsWith('Person 1: Hi, I am Ada.\nPerson 2: Hello Ada!\nPerson 1: How deep is Lake Baikal?\n'));
  t.true(native.submitted.slice(1).every(({ parent }) => parent !== 0)); // The history is evaluated once.
  t.true(texts.some((text) => text.startsWith('[A search found: Lake Baikal: 1,642 m.]')));
  t.true(texts.includes('Interesting Fact: It is 1,642 m deep.\nPerson 2:'));
  t.deepEqual(native.openPrefixes, []);
});

test.serial('without a decision for search or memory the topic is the knowledge', async (t) => {
  const { result } = await run({});
  t.deepEqual(
    result.responses.map(({ source, knowledge }) => [source, knowledge]),
    [['entity', 'lakes']],
  );
  t.is(result.query, null);
});

test.serial('one response per knowledge source, and the likeliest is kept', async (t) => {
  const memory = new LongTermMemory(['Person 1 is called Ada.']);
  const { result } = await run({ search: 0.9, memory: 0.9 }, { memory, search: () => ['x'] });
  t.deepEqual(
    result.responses.map(({ source }) => source),
    ['search', 'memory'],
  );
  t.deepEqual(
    result.responses.map(({ likelihood }) => likelihood),
    [-0.5, -0.5],
  );
  t.deepEqual(result.report.dropped, [{ item: 'response by memory', reason: 'the one by search is likelier' }]);
});

test.serial('what can’t be done for a decision is reported', async (t) => {
  const { result } = await run({ search: 0.9, memory: 0.9 });
  t.deepEqual(
    result.report.dropped.map(({ reason }) => reason),
    ['there is no search engine', 'nothing is remembered yet'],
  );
  const nothing = await run({ search: 0.9 }, { search: () => [] });
  t.deepEqual(nothing.result.report.dropped, [{ item: 'search', reason: 'nothing was found for "depth of Baikal"' }]);
  t.is(nothing.result.responses[0].source, 'entity');
});

test.serial('what the user says about themselves is remembered, once', async (t) => {
  const memory = new LongTermMemory();
  const says = { writing: ' likes lakes.\n' };
  t.is((await run({ says }, { memory })).result.remembered, 'Person 1 likes lakes.');
  t.is((await run({ says }, { memory })).result.remembered, null);
  t.is((await run({}, { memory })).result.remembered, null);
  t.deepEqual(JSON.parse(JSON.stringify(memory)), ['Person 1 likes lakes.']);
});

test.serial('a flagged user turn gets a change of topic, and nothing else is drawn', async (t) => {
  const { native, result, events } = await run({ unsafe: [0.8, 0] });
  t.is(result.flagged, 'user');
  t.true((topicChanges as readonly string[]).includes(result.text));
  t.is(native.submitted.filter(({ candidates }) => candidates > 0).length, 0);
  t.deepEqual(
    events.find(({ type }) => type === 'flag'),
    { type: 'flag', turn: 'user', reason: 'P(unsafe) is 0.80' },
  );
});

test.serial('a flagged answer is replaced, and the report has it', async (t) => {
  const { result } = await run({ unsafe: [0.1, 0.8] });
  t.is(result.flagged, 'bot');
  t.true((topicChanges as readonly string[]).includes(result.text));
  t.is(result.report.dropped[0].item, 'It is very deep.');
});

test.serial('flagged words are whole words, in any case', async (t) => {
  const flaggedWords = ['Baikal', 'dee'];
  t.is((await run({}, { flaggedWords })).result.flagged, 'user');
  t.is((await run({}, { flaggedWords: ['dee', 'ver'] })).result.flagged, null);
  t.is((await run({}, { flaggedWords: ['VERY'] })).result.flagged, 'bot');
});

test('memories that fit come first, else the newest', async (t) => {
  const memory = new LongTermMemory([
    'Person 1 has a dog.',
    'Person 1 sings.',
    'Person 1 has a dog.',
    'Person 1 bakes.',
  ]);
  t.is(memory.facts.length, 3);
  t.deepEqual(await memory.relevant('Who sings?', 2), ['Person 1 sings.']);
  t.deepEqual(await memory.relevant('Rain', 2), ['Person 1 bakes.', 'Person 1 sings.']);
  t.false(memory.add('  '));
});

import test from 'ava';
import { OptionError } from '../../lib/errors.js';
import { resolveGenerateOptions, resolveSampleOptions } from '../../lib/options.js';

const vocabularySize = 100;

function resolve(options: Record<string, unknown>) {
  return resolveGenerateOptions({ prompt: 'x', ...options }, vocabularySize, false);
}

test('the defaults are the model’s own distribution and 256 tokens', (t) => {
  const { seed, ...sampling } = resolve({}).sampling;
  t.true(Number.isSafeInteger(seed) && seed >= 0);
  t.deepEqual(sampling, {
    maxTokens: 256,
    minTokens: 0,
    ignoreEos: false,
    temperature: 1,
    topK: 0,
    topP: 1,
    minP: 0,
    repetitionPenalty: 1,
    frequencyPenalty: 0,
    presencePenalty: 0,
    penaltyWindow: 64,
    timeoutMs: 0,
    priority: 0,
    namespace: '',
    biasTokens: new Int32Array(0),
    biasValues: new Float32Array(0),
    logprobs: false,
    topLogprobs: 0,
    stop: [],
    stopTokens: new Int32Array(0),
  });
});

test('two requests without a seed get different ones', (t) => {
  t.not(resolve({}).sampling.seed, resolve({}).sampling.seed);
});

test('the largest seed is the largest safe integer', (t) => {
  t.is(resolve({ seed: Number.MAX_SAFE_INTEGER }).sampling.seed, Number.MAX_SAFE_INTEGER);
});

test('one stop string may stand for itself', (t) => {
  t.deepEqual(resolve({ stop: 'END' }).sampling.stop, ['END']);
});

test('stop strings with lone surrogates are made well formed', (t) => {
  t.deepEqual(resolve({ stop: ['a\uD800'] }).sampling.stop, ['a\uFFFD']);
});

test('topLogprobs implies logprobs', (t) => {
  t.true(resolve({ topLogprobs: 3 }).sampling.logprobs);
});

test('logit bias may be a record or a map, and ban a token', (t) => {
  for (const logitBias of [
    { 5: 1.5, 7: -Infinity },
    new Map([
      [5, 1.5],
      [7, -Infinity],
    ]),
  ]) {
    const { biasTokens, biasValues } = resolve({ logitBias }).sampling;
    t.deepEqual([...biasTokens], [5, 7]);
    t.deepEqual([...biasValues], [1.5, -Infinity]);
  }
});

test('decoding that is off does not go down', (t) => {
  const off = {
    noRepeatNgram: 0,
    ngramPenalties: [],
    ngramScope: 'context',
    factualNucleus: { decay: 1 },
    logitBias: [],
  };
  t.false('decoding' in resolve(off).sampling);
});

test('blocked n-grams are penalised without end, beside the others', (t) => {
  const ngramPenalties = [
    { size: 3, penalty: 1 },
    { size: 4, penalty: 2 },
  ];
  const { decoding } = resolve({ noRepeatNgram: 5, ngramPenalties, ngramScope: 'context' }).sampling;
  t.deepEqual([...decoding!.ngramSizes], [5, 3, 4]);
  t.deepEqual([...decoding!.ngramPenalties], [Infinity, 1, 2]);
  t.true(decoding!.ngramContext);
});

test('n-grams are those of the text by default', (t) => {
  t.false(resolve({ noRepeatNgram: 3 }).sampling.decoding!.ngramContext);
});

test('factual nucleus has λ 0.9 and ω 0.3 by default', (t) => {
  t.like(resolve({ factualNucleus: {} }).sampling.decoding, { nucleusDecay: 0.9, nucleusFloor: 0.3 });
  t.like(resolve({ factualNucleus: { decay: 0.5, floor: 0 } }).sampling.decoding, {
    nucleusDecay: 0.5,
    nucleusFloor: 0,
  });
});

test('texts are biased by what they are', (t) => {
  const logitBias = [
    { text: 'Sorry', bias: -100 },
    { text: ' as an AI', bias: -Infinity },
  ];
  const { decoding, biasTokens } = resolve({ logitBias }).sampling;
  t.deepEqual(decoding!.biasTexts, ['Sorry', ' as an AI']);
  t.deepEqual([...decoding!.biasTextValues], [-100, -Infinity]);
  t.is(biasTokens.length, 0);
});

const wrong: [string, unknown][] = [
  ['noRepeatNgram', -1],
  ['noRepeatNgram', 65],
  ['noRepeatNgram', 2.5],
  ['ngramScope', 'prompt'],
  ['ngramPenalties', { size: 3, penalty: 1 }],
  ['ngramPenalties', Array.from({ length: 9 }, () => ({ size: 3, penalty: 1 }))],
  ['factualNucleus', 0.9],
  ['maxTokens', 0],
  ['maxTokens', -5],
  ['maxTokens', 1.5],
  ['maxTokens', NaN],
  ['maxTokens', null],
  ['maxTokens', '10'],
  ['maxTokens', 10n],
  ['minTokens', -1],
  ['minTokens', 257],
  ['ignoreEos', 'yes'],
  ['temperature', NaN],
  ['temperature', -0.1],
  ['temperature', Infinity],
  ['temperature', 1e39],
  ['temperature', '1'],
  ['topK', -1],
  ['topK', 2.5],
  ['topP', 0],
  ['topP', 1.01],
  ['topP', NaN],
  ['minP', -0.1],
  ['minP', 2],
  ['repetitionPenalty', 0],
  ['repetitionPenalty', NaN],
  ['frequencyPenalty', Infinity],
  ['presencePenalty', 'none'],
  ['penaltyWindow', -1],
  ['logitBias', 3],
  ['logitBias', { 100: 1 }],
  ['logitBias', { hello: 1 }],
  ['logitBias', { '-1': 1 }],
  ['logitBias', new Map([[1.5, 1]])],
  ['seed', -1],
  ['seed', 2 ** 53],
  ['seed', 0.5],
  ['stop', ['']],
  ['stop', ''],
  ['stop', [1]],
  ['stop', Array.from({ length: 17 }, () => 'x')],
  ['stop', 'é'.repeat(129)],
  ['stopTokens', [100]],
  ['stopTokens', [-1]],
  ['stopTokens', 5],
  ['stopTokens', Array.from({ length: 65 }, () => 1)],
  ['logprobs', 1],
  ['topLogprobs', 21],
  ['topLogprobs', -1],
  ['signal', 'stop'],
];

for (const [index, [option, value]] of wrong.entries())
  test(`${option} of a wrong value is refused (case ${index})`, (t) => {
    const error = t.throws(() => resolve({ [option]: value }), { instanceOf: OptionError });
    t.is(error?.code, 'ERR_OPTION_VALUE');
    t.true(error?.option.startsWith(option));
  });

test('bias values must be numbers that are finite as float32', (t) => {
  for (const value of [NaN, Infinity, 1e39, '1'])
    t.throws(() => resolve({ logitBias: { 3: value } }), {
      message: /^logitBias\[3\] must be a finite number or -Infinity/,
    });
});

test('the message tells what is allowed and what was given', (t) => {
  t.throws(() => resolve({ topLogprobs: 21 }), { message: 'topLogprobs must be an integer from 0 to 20, got 21' });
  t.throws(() => resolve({ temperature: NaN }), {
    message: 'temperature must be a finite number of at least 0, got NaN',
  });
});

test('a misspelt option is told with the one that was meant', (t) => {
  t.throws(() => resolve({ temprature: 1 }), { code: 'ERR_OPTION_UNKNOWN', message: /Did you mean temperature\?/ });
  t.throws(() => resolve({ max_tokens: 1 }), { message: /Did you mean maxTokens\?/ });
});

test('options of another method are unknown here', (t) => {
  t.throws(() => resolve({ count: 3 }), { code: 'ERR_OPTION_UNKNOWN' });
});

test('count is needed and lies between 1 and 1024', (t) => {
  t.is(resolveSampleOptions({ count: 1024 }, vocabularySize).count, 1024);
  for (const count of [undefined, 0, 1025, 2.5, '4'])
    t.throws(() => resolveSampleOptions({ count } as never, vocabularySize), {
      code: 'ERR_OPTION_VALUE',
      message: /^count must be/,
    });
});

test('exactly one of prompt and messages is needed', (t) => {
  const messages = [{ role: 'user', content: 'Hi' }];
  t.throws(() => resolve({ messages }), { code: 'ERR_OPTION_VALUE', message: /not both/ });
  t.throws(() => resolve({ prompt: undefined }), { code: 'ERR_OPTION_VALUE', message: /prompt .* or messages/ });
});

test('a prompt of token ids is copied and must lie in the vocabulary', (t) => {
  const tokens = Int32Array.of(1, 99);
  const { input } = resolve({ prompt: tokens });
  tokens[0] = 50;
  t.deepEqual(input, { kind: 'tokens', tokens: Int32Array.of(1, 99) });
  for (const prompt of [[100], [-1], [1.5], [NaN], ['1'], [1, , 2]])
    t.throws(() => resolve({ prompt }), {
      code: 'ERR_OPTION_VALUE',
      message: /^prompt\[\d\] must be an integer from 0 to 99/,
    });
});

test('prompts and messages are made well formed', (t) => {
  t.deepEqual(resolve({ prompt: 'a\uDC00😀' }).input, { kind: 'text', text: 'a\uFFFD😀' });
  const { input } = resolve({ prompt: undefined, messages: [{ role: 'user', content: '\uD800' }] });
  t.like(input, { kind: 'messages', messages: [{ role: 'user', content: '\uFFFD' }] });
});

const wrongMessages: [string, unknown][] = [
  ['no array', 'Hi'],
  ['none', []],
  ['too many', Array.from({ length: 1025 }, () => ({ role: 'user', content: '' }))],
  ['a string', ['Hi']],
  ['no role', [{ content: 'Hi' }]],
  ['an empty role', [{ role: '', content: 'Hi' }]],
  ['no content', [{ role: 'user' }]],
  ['content of parts', [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }]],
];

for (const [name, messages] of wrongMessages)
  test(`messages are refused: ${name}`, (t) => {
    t.throws(() => resolve({ prompt: undefined, messages }), { instanceOf: OptionError, code: 'ERR_OPTION_VALUE' });
  });

test('an unknown field of a message is told with its place', (t) => {
  const messages = [{ role: 'user', content: 'Hi', nmae: 'Ann' }];
  t.throws(() => resolve({ prompt: undefined, messages }), {
    code: 'ERR_OPTION_UNKNOWN',
    message: /messages\[0\]\.nmae/,
  });
});

const wrongWithin: [string, Record<string, unknown>][] = [
  ['ngramPenalties[0].size', { ngramPenalties: [{ size: 0, penalty: 1 }] }],
  ['ngramPenalties[0].penalty', { ngramPenalties: [{ size: 1, penalty: Infinity }] }],
  ['ngramPenalties[0].count', { ngramPenalties: [{ size: 1, penalty: 1, count: 1 }] }],
  ['factualNucleus.decay', { factualNucleus: { decay: 0 } }],
  ['factualNucleus.floor', { factualNucleus: { floor: 1.5 } }],
  [
    'logitBias[1].text',
    {
      logitBias: [
        { text: 'a', bias: 1 },
        { text: '', bias: 1 },
      ],
    },
  ],
  ['logitBias[0].text', { logitBias: [{ text: 'a'.repeat(257), bias: 1 }] }],
  ['logitBias[0].bias', { logitBias: [{ text: 'a', bias: Infinity }] }],
];

for (const [option, options] of wrongWithin) {
  test(`${option} is refused by its path`, (t) => {
    t.is(t.throws(() => resolve(options), { instanceOf: OptionError }).option, option);
  });
}

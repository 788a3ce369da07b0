// winnow batch on the real engine.
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { jsonLines, prepareJobs } from '../support/score-process.js';

const timeoutMs = 300_000;

test.serial('a killed job gives the answers of an uninterrupted one, and those of the library', async (t) => {
  t.timeout(timeoutMs);
  const { write, start, run, lines, inFolder } = await prepareJobs(t, { model: defaultModel });
  const rows = Array.from({ length: 40 }, (_, i) => ({ id: `r${i}`, prompt: `Fact ${i}: the number ${i} is` }));
  await write('rows.jsonl', jsonLines(rows));
  const args = (output: string) => [
    'batch',
    '-i',
    inFolder('rows.jsonl'),
    '-o',
    inFolder(output),
    '--max-tokens',
    '12',
  ];
  const began = performance.now();
  const whole = await run(args('whole.jsonl'));
  t.is(whole.code, 0, whole.stderr);
  const took = performance.now() - began;
  for (const share of [0.5, 0.8]) {
    const { child, ended } = start(args('out.jsonl'));
    const timer = setTimeout(() => child.kill('SIGKILL'), took * share);
    await ended;
    clearTimeout(timer);
  }
  const last = await run(args('out.jsonl'));
  t.is(last.code, 0, last.stderr);
  const model = await loadModel(defaultModel);
  try {
    const [results, expected] = [await lines('out.jsonl'), await lines('whole.jsonl')].map((all) => all.toSorted());
    t.is(results.length, rows.length);
    if (!model.info.capabilities.batchInvariant) return;
    t.deepEqual(results, expected);
    const { id, text, seed } = JSON.parse(results[0]) as { id: string; text: string; seed: number };
    const { prompt } = rows.find((row) => row.id === id)!;
    t.is(await model.generate({ prompt, seed, maxTokens: 12 }).text(), text);
  } finally {
    await model.close();
  }
});

test.serial('an OpenAI Batch file is answered in OpenAI’s words', async (t) => {
  t.timeout(timeoutMs);
  const { write, run, lines, inFolder } = await prepareJobs(t, { model: defaultModel });
  const body = {
    model: 'any',
    messages: [{ role: 'user', content: 'Say hello.' }],
    max_tokens: 16,
    temperature: 0,
    logprobs: true,
  };
  await write('in.jsonl', jsonLines([{ custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body }]));
  const ended = await run(['batch', '--openai', '-i', inFolder('in.jsonl'), '-o', inFolder('out.jsonl')]);
  t.is(ended.code, 0, ended.stderr);
  const [row] = (await lines('out.jsonl')).map((line) => JSON.parse(line) as OpenAiRow);
  const [{ message, logprobs }] = row.response.body.choices;
  t.regex(message.content, /[Hh]ello/);
  t.is(
    logprobs.content
      .map(({ token }) => token)
      .join('')
      .replace('<|im_end|>', ''),
    message.content,
  );
  t.true(row.response.body.usage.completion_tokens > 0);
});

interface OpenAiRow {
  response: {
    body: {
      choices: { message: { content: string }; logprobs: { content: { token: string }[] } }[];
      usage: { completion_tokens: number };
    };
  };
}

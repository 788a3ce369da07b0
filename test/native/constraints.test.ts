// The short form of test/fuzz/constraints.ts, and what it has found.
import test from 'ava';
import type { ConstraintError } from '../../lib/errors.js';
import type { CampaignName } from '../support/constraints/campaign.js';
import { runCampaign } from '../support/constraints/campaign.js';
import { openNative } from './open-native.js';

const open = () => openNative('fake-eos', { cacheTokens: 4096, maxSequences: 16 });

const short: [CampaignName, number, string][] = [
  ['schemas', 200, 'random JSON Schemas are kept to, or refused by their place'],
  ['outputs', 200, 'random structured outputs validate against their random schemas'],
  ['grammars', 200, 'random grammars are kept to, or refused by line and column'],
  ['regexes', 300, 'what random regular expressions allow, they match'],
];
for (const [name, count, title] of short)
  test(title, async (t) => {
    const model = await open();
    const { failures, ended, refused } = await runCampaign(model, name, { count, firstSeed: 1_000_000 });
    t.deepEqual(failures, []);
    t.true(ended > count / 10, `${ended} answers ended`);
    t.true(Object.keys(refused).length > 0, 'some are refused');
    await model.close();
  });

test('a grammar that is refused says where in numbers, too', async (t) => {
  const model = await open();
  const error = await t.throwsAsync<ConstraintError>(
    model.generate({ prompt: 'x', grammar: 'root ::= "a"\nb ::= [z-a]' }).result(),
    { code: 'ERR_GRAMMAR' },
  );
  t.deepEqual([error?.line, error?.column, error?.pointer], [2, 8, 'grammar']);
  await model.close();
});

test('a schema or an expression that becomes too large a grammar is refused by its own place', async (t) => {
  const model = await open();
  const pattern = { type: 'string', pattern: `^${'a{9999}'.repeat(60)}$` };
  const schema = { type: 'object', properties: { small: {}, large: { anyOf: [{ type: 'null' }, pattern] } } };
  const error = await t.throwsAsync<ConstraintError>(model.generate({ prompt: 'x', schema }).result(), {
    code: 'ERR_SCHEMA',
    message: /^schema#\/properties\/large\/anyOf\/1: the grammar is too large/,
  });
  t.is(error?.pointer, '#/properties/large/anyOf/1');
  await t.throwsAsync(model.generate({ prompt: 'x', regex: pattern.pattern }).result(), {
    code: 'ERR_REGEX',
    message: /^regex: the grammar is too large/,
  });
  await model.close();
});

test('a long chain of references is followed to its end', async (t) => {
  const model = await open();
  const links = Array.from({ length: 1900 }, (_, i) => [`l${i}`, { $ref: `#/$defs/l${i + 1}` }] as const);
  const schema = { $ref: '#/$defs/l0', $defs: { ...Object.fromEntries(links), l1900: { const: 'end' } } };
  t.is(await model.generate({ prompt: 'x', schema }).value(), 'end');
  await model.close();
});

// Nested repetitions beyond what the recogniser follows: no byte may come.
test('an answer that the limits of a grammar end before it is whole counts as cut off', async (t) => {
  const model = await open();
  const grammar = `root ::= "a"${'+'.repeat(20_000)}`;
  const { reason, text } = await model.generate({ prompt: 'x', grammar }).result();
  t.deepEqual([reason, text], ['length', '']);
  await model.close();
});

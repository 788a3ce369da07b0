import test from 'ava';
import { IdSet } from '../../lib/batch/id-set.js';

test('a key is new once; its mark is taken off once', (t) => {
  const set = new IdSet();
  t.true(set.add('a'));
  t.false(set.add('a'));
  t.false(set.unmark('a'));
  t.true(set.add('b', true));
  t.false(set.add('b'));
  t.true(set.unmark('b'));
  t.false(set.unmark('b'));
  t.false(set.has('c'));
  t.is(set.size, 2);
});

test('under 20 bytes per key at every size, and no key is lost', (t) => {
  const set = new IdSet();
  const count = 300_000;
  for (let i = 0; i < count; i++) {
    if (!set.add(`row-${i}`, i % 2 === 0)) t.fail(`row-${i}`);
    if (i > 50_000 && i % 1000 === 0 && set.byteLength / set.size >= 20) t.fail(`${set.byteLength} bytes of ${i} keys`);
  }
  for (let i = 0; i < count; i++)
    if (set.add(`row-${i}`) || set.unmark(`row-${i}`) !== (i % 2 === 0)) t.fail(`row-${i}`);
  t.is(set.size, count);
});

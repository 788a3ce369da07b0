import test from 'ava';
import { OptionError } from '../../lib/errors.js';
import { lamdaAttributes, lamdaSelection } from '../../lib/recipes/lamda.js';

test('candidates rank by 3·sensible + specific + interesting', (t) => {
  t.is(lamdaSelection().rank({ sensible: 0.5, specific: 0.25, interesting: 0.125 }), 1.875);
});

test('candidates are kept below the threshold for unsafe', (t) => {
  const { keep } = lamdaSelection({ unsafeThreshold: 0.5 });
  t.true(keep.unsafe({ unsafe: 0.49 }));
  t.false(keep.unsafe({ unsafe: 0.5 }));
  t.false(lamdaSelection().keep.unsafe({ unsafe: 0.2 }));
});

test('the attributes are those of the paper', (t) => {
  t.deepEqual(Object.keys(lamdaAttributes), ['sensible', 'specific', 'interesting', 'unsafe']);
});

test('the threshold is a probability', (t) => {
  for (const unsafeThreshold of [-0.1, 1.1, NaN, '0.2'])
    t.throws(() => lamdaSelection({ unsafeThreshold } as never), { instanceOf: OptionError });
  t.throws(() => lamdaSelection({ threshold: 0.1 } as never), { code: 'ERR_OPTION_UNKNOWN' });
});

import test from 'ava';
import * as winnow from '../../lib/index.js';

test('options are checked before anything is looked for', async (t) => {
  await t.throwsAsync(winnow.loadModel('no-such-model', { contextsize: 1 } as never), {
    instanceOf: winnow.OptionError,
    code: 'ERR_OPTION_UNKNOWN',
  });
});

test('the source must be a text', async (t) => {
  for (const source of ['', undefined, 5])
    await t.throwsAsync(winnow.loadModel(source as never), {
      instanceOf: winnow.OptionError,
      message: /^source must be/,
    });
});

test('a signal that has fired loads nothing', async (t) => {
  const reason = new Error('too late');
  t.is(await t.throwsAsync(winnow.loadModel('no-such-model', { signal: AbortSignal.abort(reason) })), reason);
});

test('an unknown model is told with the names that are known', async (t) => {
  await t.throwsAsync(winnow.loadModel('no-such-model'), {
    instanceOf: winnow.ModelSourceError,
    message: /smollm2-135m/,
  });
});

test('everything that a user catches or checks with instanceof is exported', (t) => {
  t.deepEqual(Object.keys(winnow).sort(), [
    'AdapterError',
    'AddonLoadError',
    'CancelledError',
    'CapabilityError',
    'ClosedError',
    'ConstraintError',
    'ContextOverflowError',
    'EngineError',
    'Generation',
    'Model',
    'ModelDownloadError',
    'ModelFileError',
    'ModelSourceError',
    'OptionError',
    'OutputError',
    'Prefix',
    'PrefixFileError',
    'QueueFullError',
    'RequestStream',
    'Sampling',
    'TemplateError',
    'TimeoutError',
    'WinnowError',
    'WinnowTurn',
    'areaUnderCurve',
    'brierScore',
    'expectedCalibrationError',
    'fitCalibration',
    'formatReliability',
    'lamdaAttributes',
    'lamdaSelection',
    'loadCalibration',
    'loadModel',
    'reliabilityTable',
    'saveCalibration',
  ]);
});

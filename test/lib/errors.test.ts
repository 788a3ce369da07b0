import test from 'ava';
import {
  ClosedError,
  ContextOverflowError,
  EngineError,
  fromNative,
  OptionError,
  WinnowError,
} from '../../lib/errors.js';

test('every error is a WinnowError with a code and the name of its class', (t) => {
  const error = new ContextOverflowError(2000, 1024);
  t.true(error instanceof WinnowError);
  t.is(error.code, 'ERR_CONTEXT_OVERFLOW');
  t.is(error.name, 'ContextOverflowError');
});

test('an overflow tells both sizes, as fields and in words', (t) => {
  const error = new ContextOverflowError(2000, 1024);
  t.is(error.promptTokens, 2000);
  t.is(error.contextSize, 1024);
  t.regex(error.message, /2000.*1024/);
});

test('a native error keeps its code and message and is the cause', (t) => {
  const native = Object.assign(new Error('no room'), { code: 'ERR_CACHE_TOO_SMALL' });
  const error = fromNative(native);
  t.true(error instanceof EngineError);
  t.is(error.code, 'ERR_CACHE_TOO_SMALL');
  t.is(error.message, 'no room');
  t.is(error.cause, native);
});

test('native codes of closed things become the errors of closed things', (t) => {
  t.true(fromNative({ code: 'ERR_MODEL_CLOSED', message: '' }) instanceof ClosedError);
  t.is(fromNative({ code: 'ERR_PREFIX_CLOSED', message: '' }).code, 'ERR_PREFIX_CLOSED');
});

test('an error without a code gets one and keeps its message', (t) => {
  const error = fromNative(new Error('odd'));
  t.is(error.code, 'ERR_ENGINE');
  t.is(error.message, 'odd');
});

test('an error of ours stays what it is', (t) => {
  const error = new OptionError('ERR_OPTION_VALUE', 'no', 'topK', -1);
  t.is(fromNative(error), error);
});

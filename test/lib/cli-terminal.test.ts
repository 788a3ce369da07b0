import test from 'ava';
import { painter, StatusLine } from '../../lib/cli/terminal.js';

function fakeTerminal(isTTY: boolean) {
  let written = '';
  const write = (text: string | Uint8Array) => {
    written += String(text);
    return true;
  };
  return { stream: { isTTY, columns: 20, write }, written: () => written };
}

test('a terminal gets colours, unless NO_COLOR is set', (t) => {
  const { stream } = fakeTerminal(true);
  t.is(painter(stream, {})('red', 'x'), '\x1b[31mx\x1b[39m');
  t.is(painter(stream, { NO_COLOR: '1' })('red', 'x'), 'x');
  t.is(painter(stream, { TERM: 'dumb' })('red', 'x'), 'x');
});

test('a pipe gets neither colours nor status lines', (t) => {
  const { stream, written } = fakeTerminal(false);
  t.is(painter(stream, {})('red', 'x'), 'x');
  const status = new StatusLine(stream);
  status.update('busy');
  status.clear();
  t.is(written(), '');
});

test('a status line is redrawn in place, cut to the width, and leaves nothing', (t) => {
  const { stream, written } = fakeTerminal(true);
  const status = new StatusLine(stream);
  status.update('a line that is too long for the terminal');
  status.clear();
  status.clear();
  t.is(written(), '\r\x1b[2Ka line that is too \r\x1b[2K');
});

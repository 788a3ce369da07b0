// What the commands write: results to stdout, progress to stderr. Colours and redrawn lines only in a terminal.
import type { WriteStream } from 'node:tty';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const codes: Record<Style, [on: number, off: number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

type Stream = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;
export type Paint = (style: Style, text: string) => string;

/** Colours for a terminal, unless NO_COLOR (no-color.org) is set; plain text for pipes and files. */
export function painter(stream: Stream, environment: NodeJS.ProcessEnv = process.env): Paint {
  const hasColors = Boolean(stream.isTTY) && !environment.NO_COLOR && environment.TERM !== 'dumb';
  return (style, text) => (hasColors ? `\x1b[${codes[style][0]}m${text}\x1b[${codes[style][1]}m` : text);
}

/** One line that is redrawn in place; nothing where it can't be. */
export class StatusLine {
  #isShown = false;
  readonly #stream: Stream;

  constructor(stream: Stream = process.stderr) {
    this.#stream = stream;
  }

  update(text: string): void {
    if (!this.#stream.isTTY) return;
    this.#stream.write(`\r\x1b[2K${text.slice(0, (this.#stream.columns || 80) - 1)}`);
    this.#isShown = true;
  }

  /** Before anything else is written to the terminal. */
  clear(): void {
    if (this.#isShown) this.#stream.write('\r\x1b[2K');
    this.#isShown = false;
  }
}

const spread = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

/** Answers on one line: what is piped stays one line per thing. */
export const oneLine = (text: string): string => spread(text) || '(empty)';

export const count = (value: number): string => Math.round(value).toLocaleString('en-US');
export const megabytes = (bytes: number): string => `${count(bytes / 1e6)} MB`;
export const seconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} s`;
export const percent = (share: number): string => `${Math.round(100 * share)} %`;

const barWidth = 24;
/** How much of something is done. */
export const bar = (share: number): string =>
  '█'.repeat(Math.round(barWidth * Math.min(1, share))).padEnd(barWidth, '░');

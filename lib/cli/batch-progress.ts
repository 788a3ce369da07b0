// How a long run over rows is shown: a line that is redrawn in a terminal, a line every few seconds elsewhere.
import type { BatchProgress } from '../options.js';
import { bar, count, percent, StatusLine } from './terminal.js';

const redrawMs = 200;
const lineMs = 5000;

export class BatchStatus {
  readonly #status = new StatusLine();
  readonly #isRedrawn = Boolean(process.stderr.isTTY);
  #began: { at: number; share: number } | undefined;
  #shown = 0;

  update(progress: BatchProgress): void {
    const now = performance.now();
    this.#began ??= { at: now, share: progress.share ?? 0 };
    if (Math.abs(now - this.#shown) < (this.#isRedrawn ? redrawMs : lineMs)) return;
    this.#shown = now;
    const text = this.#describe(progress, Math.max(0, now - this.#began.at) / 1000); // Of a clock that was set back, nothing.
    if (this.#isRedrawn) this.#status.update(text);
    else console.error(text);
  }

  clear(): void {
    this.#status.clear();
  }

  #describe({ rows, errors, share, tokens, cacheHits }: BatchProgress, elapsed: number): string {
    const parts = [
      share === undefined ? '' : this.#isRedrawn ? `${bar(share)} ${percent(share)}` : percent(share),
      `${count(rows)} rows`,
      `${perSecond(rows, elapsed)} rows/s`,
      `${perSecond(tokens, elapsed)} tokens/s`,
      `${percent(cacheHits)} of prompts cached`,
      errors ? `${count(errors)} errors` : '',
      this.#timeLeft(share, elapsed),
    ];
    return parts.filter(Boolean).join(' · ');
  }

  #timeLeft(share: number | undefined, elapsed: number): string {
    const done = (share ?? 0) - this.#began!.share;
    if (share === undefined || share >= 1 || done <= 0 || elapsed === 0) return '';
    return `${duration((elapsed * (1 - share)) / done)} left`;
  }
}

const perSecond = (value: number, seconds: number) => (seconds > 0 ? count(value / seconds) : '…');

export function duration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.ceil(seconds)} s`;
}

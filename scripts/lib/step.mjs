// A step is a child process with a title, a log file and visible progress. Everything here writes to stderr, so that
// stdout stays the command's own.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { logFolder, root } from './paths.mjs';

const isLive = process.stderr.isTTY && !process.env.CI;
const tailLines = 25;
const heartbeatMs = 20_000; // Between two progress lines where nothing can be redrawn.

/** A step that failed: `advice` says what to do about it. */
export class StepError extends Error {
  constructor(title, { reason, advice, log, tail = [], output = '' }) {
    super(`${title}: ${reason}`);
    Object.assign(this, { title, reason, advice, log, tail, output });
  }
}

export function printFailure(error) {
  if (!(error instanceof StepError)) return console.error(error);
  console.error(`\n✗ ${error.message}`);
  if (error.tail.length) console.error(error.tail.map((line) => `  │ ${line}`).join('\n'));
  if (error.log) console.error(`  The whole log: ${path.relative(process.cwd(), error.log) || error.log}`);
  if (error.advice) console.error(`  ${error.advice.replaceAll('\n', '\n  ')}`);
}

class Progress {
  #start = Date.now();
  #last = 0;
  constructor(title) {
    this.title = title;
    if (!isLive) console.error(`· ${title} …`);
  }
  seconds() {
    return ((Date.now() - this.#start) / 1000).toFixed(1);
  }
  update(line) {
    const now = Date.now();
    if (isLive) {
      const text = `· ${this.title} (${Math.round((now - this.#start) / 1000)} s) ${line}`;
      process.stderr.write(`\r\x1b[2K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
    } else if (now - Math.max(this.#last, this.#start) > heartbeatMs) {
      this.#last = now;
      console.error(`  ${this.title} (${Math.round((now - this.#start) / 1000)} s): ${line.slice(0, 120)}`);
    }
  }
  end(mark) {
    if (isLive) process.stderr.write('\r\x1b[2K');
    console.error(`${mark} ${this.title} (${this.seconds()} s)`);
  }
}

const slug = (title) =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

/**
 * Runs a command, its output in build/logs/<title>.log. Resolves to {code, stdout, output, log}; a non-zero exit rejects
 * with StepError unless `mayFail`. `advice` is a string or a function of the output.
 */
export function runStep(title, command, args, options = {}) {
  const { cwd = root, env, advice = '', mayFail = false, append = false } = options;
  mkdirSync(logFolder, { recursive: true });
  const log = path.join(logFolder, `${slug(options.log ?? title)}.log`);
  const file = createWriteStream(log, { flags: append ? 'a' : 'w' });
  file.write(`$ ${[command, ...args].join(' ')}\n`);
  const progress = new Progress(title);
  let stdout = '';
  let output = '';
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const receive = (chunk) => {
      output += chunk;
      file.write(chunk);
      const lines = chunk.split(/[\r\n]+/).filter((line) => line.trim());
      if (lines.length) progress.update(lines.at(-1).trim());
    };
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      stdout += chunk;
      receive(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', receive);
    const fail = (reason) => {
      progress.end('✗');
      const tail = output.trimEnd().split('\n').slice(-tailLines);
      const text = typeof advice === 'function' ? advice(output) : advice;
      reject(new StepError(title, { reason, advice: text, log, tail, output }));
    };
    child.on('error', (error) =>
      file.end(() => fail(`${command} could not be started (${error.code ?? error.message})`)),
    );
    child.on('close', (code, signal) => {
      file.end(() => {
        if (code === 0 || mayFail) {
          progress.end(code === 0 ? '✓' : '✗');
          resolve({ code, stdout, output, log });
        } else {
          fail(signal ? `ended by ${signal}` : `exit status ${code}`);
        }
      });
    });
  });
}

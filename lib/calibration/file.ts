import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { OptionError } from '../errors.js';
import { checkFields } from '../options/checks.js';
import type { Calibration } from './calibration.js';
import { checkCalibration } from './check.js';

const format = 'winnow-calibration';
const version = 1;

/** Writes it as JSON, whole or not at all. Rejects with the file system's error. */
export async function saveCalibration(path: string, calibration: Calibration): Promise<void> {
  const checked = checkCalibration('calibration', calibration);
  const unfinished = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(unfinished, `${JSON.stringify({ format, version, ...checked }, null, 2)}\n`);
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** Reads what `saveCalibration()` wrote. Rejects with the file system's error, and with OptionError for other content. */
export async function loadCalibration(path: string): Promise<Calibration> {
  const {
    format: found,
    version: foundVersion,
    ...rest
  } = checkFields(path, parse(path, await readFile(path, 'utf8')));
  if (found !== format || foundVersion !== version)
    throw new OptionError('ERR_OPTION_VALUE', `${path} holds no ${format} of version ${version}`, path, found);
  return checkCalibration(path, rest);
}

/** The rows of a JSON Lines file; empty lines are left out. `place`: file and line, for messages. */
export async function* readJsonLines(path: string): AsyncGenerator<{ place: string; value: unknown }> {
  const file = await open(path);
  let line = 0;
  for await (const text of file.readLines()) {
    const place = `${path}:${++line}`;
    if (text.trim() !== '') yield { place, value: parse(place, text) };
  }
}

function parse(place: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OptionError('ERR_OPTION_VALUE', `${place} is no JSON: ${(error as Error).message}`, place, undefined);
  }
}

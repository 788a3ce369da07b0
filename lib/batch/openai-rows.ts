// Rows of OpenAI's Batch files: a request each, `{"custom_id", "method", "url", "body"}`.
import { hash } from 'node:crypto';
import type { Model } from '../index.js';
import { answerOpenAi, openAiError } from '../openai/answer.js';
import { OptionError } from '../errors.js';
import { rowSeed } from '../row-seed.js';
import type { EndedRow } from './job.js';
import type { MappedRow, RowFields } from './map-rows.js';
import { mapRows, rowKey } from './map-rows.js';
import type { InputRow } from './read.js';

const idField = 'custom_id';
const usualTokens = 256; // Of an answer without a limit of its own: how many requests are begun at once depends on it.

export async function* answerOpenAiRows(
  model: Model,
  rows: AsyncIterable<InputRow>,
  { seed, started, signal }: { seed: number; started: Date; signal?: AbortSignal },
): AsyncGenerator<EndedRow, void> {
  const created = Math.floor(started.getTime() / 1000);
  const run = ({ custom_id, method, url, body }: RowFields, input: InputRow, stopped: AbortSignal) => {
    if (typeof custom_id !== 'string')
      throw new OptionError('ERR_OPTION_VALUE', 'custom_id must be a string', idField, custom_id);
    if (method !== 'POST')
      throw new OptionError(
        'ERR_OPTION_VALUE',
        `method must be 'POST', got ${JSON.stringify(method)}`,
        'method',
        method,
      );
    return answerOpenAi(url, body, {
      model,
      created,
      seed: rowSeed(seed, rowKey(input, idField)),
      name: nameOf(input),
      signal: stopped,
    });
  };
  for await (const row of mapRows(model, rows, run, { tokensOf, signal })) yield endedRow(row);
}

function tokensOf({ body }: RowFields): number {
  const { max_tokens, max_completion_tokens = max_tokens, n } = (body ?? {}) as RowFields;
  const most = Number(max_completion_tokens);
  return (most > 0 ? most : usualTokens) * (Number(n) > 0 ? Number(n) : 1);
}

function endedRow({ input, result, error }: MappedRow): EndedRow {
  const name = nameOf(input);
  const response = (status_code: number, body: object) => ({ status_code, request_id: `req_${name}`, body });
  if (!error)
    return { input, fields: { id: `batch_req_${name}`, response: response(200, result), error: null }, isError: false };
  const { status, body } = openAiError(error.class, error.code, error.message);
  const { code, message } = error;
  return {
    input,
    fields: { id: `batch_req_${name}`, response: response(status, body), error: { code, message } },
    isError: true,
  };
}

/** The same in every run. */
function nameOf(input: InputRow): string {
  return hash('sha256', JSON.stringify([rowKey(input, idField), input.line]), 'hex').slice(0, 24);
}

// Bodies of OpenAI's requests as options of ours (protocols: chat completions, legacy completions).
import { OptionError } from '../errors.js';
import type { Fields } from './checks.js';
import {
  checkArray,
  checkBoolean,
  checkFields,
  checkFilledText,
  checkInteger,
  checkNames,
  checkOneOf,
  checkText,
  invalid,
} from './checks.js';
import type { GenerationOptions } from './generate.js';
import type { Message } from './input.js';

type Drawing = Omit<GenerationOptions, 'signal'>;

/** What a request asks for: `count` answers to each input. */
export interface ResolvedOpenAiRequest {
  /** As the body names it; undefined = it does not. */
  model?: string;
  inputs: ({ messages: Message[] } | { prompt: string | number[] })[];
  count: number;
  drawing: Drawing;
}

const maxChoices = 64;
const maxPrompts = 2048;
const completionTokens = 16; // OpenAI's default, of legacy completions only.

/** These change nothing about an answer. */
const passedOver = ['model', 'user', 'metadata', 'store', 'service_tier', 'safety_identifier', 'prompt_cache_key'];
const drawing = [
  'temperature',
  'top_p',
  'seed',
  'stop',
  'presence_penalty',
  'frequency_penalty',
  'logit_bias',
  'n',
  'stream',
];
const chatNames = ['messages', 'max_tokens', 'max_completion_tokens', 'logprobs', 'top_logprobs', 'response_format'];
const completionNames = ['prompt', 'max_tokens', 'logprobs'];

/** `contextSize`: where an answer without a limit ends. Throws OptionError for what is wrong, or not served. */
export function resolveChatBody(body: unknown, contextSize: number): ResolvedOpenAiRequest {
  const fields = withoutNulls(body);
  checkNames('body', fields, [...passedOver, ...drawing, ...chatNames]);
  const { max_completion_tokens: most = fields['max_tokens'], logprobs, top_logprobs } = fields;
  return {
    ...resolveCommon(fields),
    inputs: [{ messages: resolveOpenAiMessages(fields['messages']) }],
    drawing: {
      ...resolveDrawing(fields),
      maxTokens: most === undefined ? contextSize : checkInteger('body.max_completion_tokens', most, 1),
      logprobs: logprobs === undefined ? false : checkBoolean('body.logprobs', logprobs),
      topLogprobs: top_logprobs === undefined ? 0 : checkInteger('body.top_logprobs', top_logprobs, 0, 20),
      ...resolveResponseFormat(fields['response_format']),
    },
  };
}

export function resolveCompletionBody(body: unknown): ResolvedOpenAiRequest {
  const fields = withoutNulls(body);
  checkNames('body', fields, [...passedOver, ...drawing, ...completionNames]);
  const { max_tokens, logprobs } = fields;
  const top = logprobs === undefined ? 0 : checkInteger('body.logprobs', logprobs, 0, 20);
  return {
    ...resolveCommon(fields),
    inputs: resolvePrompts(fields['prompt']).map((prompt) => ({ prompt })),
    drawing: {
      ...resolveDrawing(fields),
      maxTokens: max_tokens === undefined ? completionTokens : checkInteger('body.max_tokens', max_tokens, 1),
      logprobs: logprobs !== undefined,
      topLogprobs: top,
    },
  };
}

/** OpenAI's null is an option that is not given. */
function withoutNulls(body: unknown): Fields {
  return Object.fromEntries(Object.entries(checkFields('body', body)).filter(([, value]) => value !== null));
}

function resolveCommon({ model, n, stream }: Fields): Pick<ResolvedOpenAiRequest, 'model' | 'count'> {
  if (stream !== undefined && checkBoolean('body.stream', stream))
    throw invalid('body.stream', stream, 'false in a file');
  return {
    ...(model !== undefined && { model: checkText('body.model', model) }),
    count: n === undefined ? 1 : checkInteger('body.n', n, 1, maxChoices),
  };
}

/** Their ranges are checked where they are used. */
function resolveDrawing(fields: Fields): Drawing {
  const { temperature, top_p, seed, stop, presence_penalty, frequency_penalty, logit_bias } = fields;
  const named = {
    temperature,
    topP: top_p,
    seed,
    stop,
    presencePenalty: presence_penalty,
    frequencyPenalty: frequency_penalty,
    logitBias: logit_bias,
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}

function resolveResponseFormat(format: unknown): Drawing {
  if (format === undefined) return {};
  const { type, json_schema } = checkFields('body.response_format', format);
  const kind = checkOneOf('body.response_format.type', type, ['text', 'json_object', 'json_schema']);
  if (kind === 'text') return {};
  if (kind === 'json_object') return { schema: { type: 'object' } };
  return {
    schema: checkFields(
      'body.response_format.json_schema.schema',
      checkFields('body.response_format.json_schema', json_schema)['schema'],
    ),
  };
}

function resolveOpenAiMessages(messages: unknown): Message[] {
  return checkArray('body.messages', messages, 1, 1024, 'messages').map((message, index) => {
    const path = `body.messages[${index}]`;
    const fields = withoutNulls(checkFields(path, message));
    checkNames(path, fields, ['role', 'content', 'name', 'refusal']);
    const role = checkFilledText(`${path}.role`, fields['role']);
    return {
      role: role === 'developer' ? 'system' : role,
      content: resolveContent(`${path}.content`, fields['content']),
    };
  });
}

/** A text, or parts that are texts. */
function resolveContent(path: string, content: unknown): string {
  if (!Array.isArray(content)) return checkText(path, content);
  const parts = content.map((part, index) => {
    const { type, text } = checkFields(`${path}[${index}]`, part);
    checkOneOf(`${path}[${index}].type`, type, ['text']);
    return checkText(`${path}[${index}].text`, text);
  });
  return parts.join('');
}

/** One text, token ids, or a list of either. */
function resolvePrompts(prompt: unknown): (string | number[])[] {
  const isOne = typeof prompt === 'string' || (Array.isArray(prompt) && typeof prompt[0] === 'number');
  const prompts = isOne ? [prompt] : checkArray('body.prompt', prompt, 1, maxPrompts, 'prompts');
  return prompts.map((one) => {
    if (typeof one === 'string' || Array.isArray(one)) return one as string | number[];
    throw new OptionError(
      'ERR_OPTION_VALUE',
      'body.prompt must be a text, token ids, or a list of either',
      'body.prompt',
      prompt,
    );
  });
}

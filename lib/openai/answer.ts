// OpenAI's endpoints on a model, whoever brings the request.
import { CapabilityError, OptionError } from '../errors.js';
import { answerChat } from './chat.js';
import { answerCompletion } from './completions.js';
import type { AnswerContext } from './draw.js';

const endpoints = new Map([
  ['/v1/chat/completions', answerChat],
  ['/v1/completions', answerCompletion],
]);

/** The response's body. Throws OptionError for a wrong request, CapabilityError for embeddings, and what the model throws. */
export async function answerOpenAi(
  url: unknown,
  body: unknown,
  context: AnswerContext,
): Promise<Record<string, unknown>> {
  const answer = endpoints.get(url as string);
  if (answer) return answer(body, context);
  const served = [...endpoints.keys()].join(' and ');
  if (url === '/v1/embeddings')
    throw new CapabilityError('embed', context.model.info.architecture, `only ${served} are answered.`);
  throw new OptionError('ERR_OPTION_VALUE', `url must be ${served}, got ${JSON.stringify(url)}`, 'url', url);
}

/** Statuses of errors that are the request's fault; others are 500. */
const requestErrors = new Set([
  ...['OptionError', 'ContextOverflowError', 'ConstraintError', 'TemplateError', 'CapabilityError', 'RowDataError'],
]);

/** An error as OpenAI's clients read it. `className`: such as `OptionError`. */
export function openAiError(className: string, code: string, message: string) {
  const isRequestError = requestErrors.has(className);
  return {
    status: isRequestError ? 400 : 500,
    body: { error: { message, type: isRequestError ? 'invalid_request_error' : 'server_error', param: null, code } },
  };
}

// POST /v1/completions, the legacy one.
import type { Model } from '../index.js';
import { resolveCompletionBody } from '../options.js';
import type { Answer, AnswerContext } from './draw.js';
import { drawAnswers, finishReason, tokenText, usageOf } from './draw.js';

export async function answerCompletion(body: unknown, context: AnswerContext): Promise<Record<string, unknown>> {
  const { model, created, name } = context;
  const request = resolveCompletionBody(body);
  const answers = await drawAnswers(request, context);
  return {
    id: `cmpl-${name}`,
    object: 'text_completion',
    created,
    model: request.model ?? model.info.name,
    choices: answers.map((answer, index) => ({
      index,
      text: answer.result.text,
      logprobs: request.drawing.logprobs ? tokenLogprobs(model, answer) : null,
      finish_reason: finishReason(answer),
    })),
    usage: usageOf(answers, request.count),
  };
}

/** Lists of equal length; `top_logprobs` by text, of two tokens with the same one the likelier. */
function tokenLogprobs(model: Model, { tokens }: Answer) {
  const texts = tokens.map(({ token }) => tokenText(model, token).token);
  let offset = 0;
  return {
    tokens: texts,
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ topLogprobs = [] }) => {
      const byText = topLogprobs.map(({ token, logprob }) => [tokenText(model, token).token, logprob] as const);
      return Object.fromEntries(byText.toReversed());
    }),
    text_offset: texts.map((text) => (offset += text.length) - text.length),
  };
}

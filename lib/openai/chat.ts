// POST /v1/chat/completions
import type { Model } from '../index.js';
import { resolveChatBody } from '../options.js';
import type { Answer, AnswerContext } from './draw.js';
import { drawAnswers, finishReason, tokenText, usageOf } from './draw.js';

export async function answerChat(body: unknown, context: AnswerContext): Promise<Record<string, unknown>> {
  const { model, created, name } = context;
  const request = resolveChatBody(body, model.info.contextSize);
  const answers = await drawAnswers(request, context);
  return {
    id: `chatcmpl-${name}`,
    object: 'chat.completion',
    created,
    model: request.model ?? model.info.name,
    choices: answers.map((answer, index) => ({
      index,
      message: { role: 'assistant', content: answer.result.text, refusal: null },
      logprobs: request.drawing.logprobs ? { content: tokenLogprobs(model, answer), refusal: null } : null,
      finish_reason: finishReason(answer),
    })),
    usage: usageOf(answers, request.count),
  };
}

function tokenLogprobs(model: Model, { tokens }: Answer) {
  return tokens.map(({ token, logprob, topLogprobs = [] }) => ({
    ...tokenText(model, token),
    logprob,
    top_logprobs: topLogprobs.map((top) => ({ ...tokenText(model, top.token), logprob: top.logprob })),
  }));
}

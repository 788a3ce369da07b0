import type { Answer, AnswerOf, BooleanAnswer, Question, Questions, ScoreAnswer } from '../questions/question.js';

/** What `keep` and `rank` see of an answer: P(yes), the mean level, or the probabilities by key. */
export type ScoreOf<A> = A extends BooleanAnswer | ScoreAnswer
  ? number
  : A extends { probabilities: infer P }
    ? P
    : never;

/** A candidate's scores, by attribute. */
export type Scores<Qs extends Questions> = { -readonly [Name in keyof Qs]: ScoreOf<AnswerOf<Qs[Name]>> };

export function scoreOf(answer: Answer): number | Record<string, number> {
  if (answer.type === 'boolean') return answer.probability;
  if (answer.type === 'score') return answer.score;
  return answer.probabilities;
}

/** Scores of attributes of any type. */
export type AnyScores = Record<string, ScoreOf<AnswerOf<Question>>>;

// Checked by the compiler, never run: what a user's editor knows about answers, scores and events.
import { z } from 'zod';
import type {
  BooleanAnswer,
  ChoiceAnswer,
  Generation,
  GenerationEvent,
  LabelsAnswer,
  LoadOptions,
  Model,
  Prefix,
  Question,
  ScoreAnswer,
  WinnowResult,
} from '../../lib/index.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expect<_ extends true>(): void {}

export async function answersAreTypedByTheKeys(model: Model, prefix: Prefix): Promise<BooleanAnswer> {
  const answers = await prefix.classify({
    polite: { type: 'boolean', instructions: 'x' },
    colour: { type: 'choice', instructions: 'x', choices: { red: null, blue: 'as the sky' } },
    length: { type: 'score', instructions: 'x', levels: ['short', 'long'] },
    raw: { type: 'labels', suffix: ' SENSIBLE', labels: { yes: ' 1', no: [5] } },
  });
  expect<Equal<typeof answers.polite, BooleanAnswer>>();
  expect<Equal<typeof answers.colour, ChoiceAnswer<'red' | 'blue'>>>();
  expect<Equal<typeof answers.length, ScoreAnswer>>();
  expect<Equal<typeof answers.raw, LabelsAnswer<'yes' | 'no'>>>();
  expect<Equal<typeof answers.colour.choice, 'red' | 'blue'>>();
  expect<Equal<typeof answers.colour.probabilities, Record<'red' | 'blue', number>>>();
  // @ts-expect-error There is no such question.
  void answers.rude;

  const { polite } = await model.classify({ prompt: 'x' }, { polite: { type: 'boolean', instructions: 'x' } });
  expect<Equal<typeof polite, BooleanAnswer>>();
  return polite;
}

export async function questionsMayBeMadeAtRunTime(prefix: Prefix, questions: Record<string, Question>): Promise<void> {
  const answers = await prefix.classify(questions);
  const [answer] = Object.values(answers);
  if (answer?.type === 'boolean') expect<Equal<typeof answer.probability, number>>();
}

export function wrongQuestionsDoNotCompile(prefix: Prefix): void {
  // @ts-expect-error A choice needs its choices.
  void prefix.classify({ colour: { type: 'choice', instructions: 'x' } });
  // @ts-expect-error There is no such type of question.
  void prefix.classify({ q: { type: 'number', instructions: 'x' } });
}

export async function scoresAreTypedByTheAttributes(prefix: Prefix): Promise<void> {
  const turn = prefix.winnow({
    attributes: {
      good: { type: 'boolean', instructions: 'x' },
      tone: { type: 'choice', instructions: 'x', choices: { warm: null, cold: null } },
      length: { type: 'score', instructions: 'x', levels: ['short', 'long'] },
    },
    keep: ({ good, tone }) => {
      expect<Equal<typeof good, number>>();
      expect<Equal<typeof tone, Record<'warm' | 'cold', number>>>();
      return good > 0.5 && tone.warm > 0.5;
    },
    rank: (scores) => scores.good + scores.length + scores.tone.warm,
  });
  const result = await turn.result();
  if (result.outcome === 'chosen') {
    expect<Equal<typeof result.chosen.scores.good, number>>();
    expect<Equal<typeof result.chosen.answers.tone.choice, 'warm' | 'cold'>>();
  } else if (result.outcome === 'none-passed') {
    expect<Equal<typeof result.chosen, null>>();
    expect<Equal<typeof result.bestRejected.rank, number>>();
  } else {
    expect<Equal<typeof result.bestRejected, null>>();
  }
  for await (const event of turn) if (event.type === 'score') expect<Equal<typeof event.scores.length, number>>();
}

export function unknownAttributesDoNotCompile(prefix: Prefix): void {
  const attributes = { good: { type: 'boolean', instructions: 'x' } } as const;
  // @ts-expect-error There is no attribute of this name.
  prefix.winnow({ attributes, rank: ({ sensible }) => Number(sensible) });
}

export async function theDefaultTurnIsTyped(prefix: Prefix): Promise<number> {
  const { candidates } = await prefix.winnow({ rank: (s) => s.sensible - s.unsafe }).result();
  const interesting = candidates.map(({ scores }) => scores.interesting);
  expect<Equal<typeof interesting, number[]>>();
  return Math.max(...interesting);
}

export function eventsAreADiscriminatedUnion(event: GenerationEvent): void {
  if (event.type === 'token') expect<Equal<typeof event.token, number>>();
  else expect<Equal<typeof event.reason, 'eos' | 'stop' | 'length'>>();
}

export function promptAndMessagesExcludeEachOther(model: Model): Generation[] {
  return [
    model.generate({ prompt: 'x', maxTokens: 3 }),
    model.generate({ messages: [{ role: 'user', content: 'x' }] }),
    // @ts-expect-error Only one of them.
    model.generate({ prompt: 'x', messages: [{ role: 'user', content: 'x' }] }),
    // @ts-expect-error One of them is needed.
    model.generate({ maxTokens: 3 }),
    // @ts-expect-error No such option.
    model.generate({ prompt: 'x', max_tokens: 3 }),
  ];
}

export async function valuesAreTypedByTheConstraint(model: Model, prefix: Prefix): Promise<unknown[]> {
  const schema = z.object({ name: z.string(), age: z.int().optional() });
  const person = await model.generate({ prompt: 'x', schema }).value();
  expect<Equal<typeof person, { name: string; age?: number | undefined }>>();
  const colour = await prefix.generate({ choices: ['red', 'blue'] }).value();
  expect<Equal<typeof colour, 'red' | 'blue'>>();
  const raw = await model.generate({ prompt: 'x', schema: { type: 'object' } }).value();
  expect<Equal<typeof raw, unknown>>();
  const text = await model.generate({ prompt: 'x', regex: /\d+/ }).value();
  expect<Equal<typeof text, string>>();
  return [person, colour, raw, text];
}

export async function modelsAndPrefixesAreDisposable(model: Model): Promise<void> {
  await using _model = model;
  await using _prefix = await model.prefill({ prompt: 'x' });
}

// @ts-expect-error Only these cache types.
export const wrongOptions: LoadOptions = { cacheType: 'q4_0' };

export type AnyResult = WinnowResult;

export function thresholdsAreThoseOfTheQuestions(prefix: Prefix): void {
  const questions = { good: { type: 'boolean', instructions: 'x' } } as const;
  prefix.sample({ count: 1, checks: { every: 4, questions, thresholds: { good: 0.5 } } });
  // @ts-expect-error There is no question of this name.
  prefix.sample({ count: 1, checks: { every: 4, questions, thresholds: { bad: 0.5 } } });
  // @ts-expect-error Every question has a threshold.
  prefix.sample({ count: 1, checks: { every: 4, questions, thresholds: {} } });
}

// What `winnow recipe NAME` runs: each published system once, on a small example of ours.
import type { Message, Model } from '../index.js';
import { lamdaAttributes } from '../index.js';
import type { Prompts, RecipeRun } from '../recipes/index.js';
import * as recipes from '../recipes/index.js';

export interface ExampleOptions {
  /** Of the user, instead of the example's. */
  message?: string;
  /** Candidates, samples, rounds or rows, instead of the example's. */
  count?: number;
  /** Longest text of each draw, instead of the recipe's. */
  maxTokens?: number;
  seed?: number;
  prompts?: Prompts;
  /** Where files go. */
  output?: string;
  signal?: AbortSignal;
}

/** A run with events, or rows of a data set. */
export type Running = RecipeRun<{ type: string }, object> | AsyncGenerator<object, void>;

export interface Example {
  /** The published system. */
  system: string;
  description: string;
  /** Our wordings, where there are some to replace. */
  prompts?: Prompts;
  run(model: Model, options: ExampleOptions): Running;
}

const user = (content: string): Message[] => [{ role: 'user', content }];
const dialogue = (question: string, answer: string): Message[] => [
  ...user(question),
  { role: 'assistant', content: answer },
];

const facts = [
  { text: 'Lake Baikal in Siberia is the deepest lake of the world: 1,642 metres.', source: 'atlas: lakes' },
  { text: 'Mount Kenya is the second highest mountain of Africa: 5,199 metres.', source: 'atlas: mountains' },
  { text: 'The Danube flows through ten countries into the Black Sea.', source: 'atlas: rivers' },
];
const words: Record<string, string> = { 'hello in French': 'Bonjour', 'thank you in Italian': 'Grazie' };

const search = recipes.createRetrieval(facts);
const tools: recipes.Tools = {
  calculator: recipes.calculator,
  translator: (query) => (words[query] === undefined ? [] : [words[query]]),
  retrieval: search,
};

/** What every recipe takes. */
const frame = ({ seed, signal }: ExampleOptions) => ({ seed, ...(signal && { signal }) });
const drawing = ({ maxTokens }: ExampleOptions, usual: recipes.Drawing = {}): recipes.Drawing => ({
  ...usual,
  ...(maxTokens !== undefined && { maxTokens, minTokens: Math.min(usual.minTokens ?? 0, maxTokens) }),
});

const arithmetic = 'A baker bakes 4 trays of 12 rolls and sells 30 of them. How many rolls are left?';
const answers = ['Paris is the capital of France.', 'I think it might be Lyon or so.'] as const;
const reviews = [
  { input: 'The soup was warm and full of flavour.', label: 'good' },
  { input: 'Stale bread and grumpy people.', label: 'bad' },
  { input: 'A joy from the first note to the last.', label: 'good' },
  { input: 'It broke on the second day.', label: 'bad' },
];
const questions = ['Why is the sky blue?', 'How do I boil an egg?', 'Who will win the next election?'];

/** `count` of them, each again with its number once all have come. */
const take = (texts: readonly string[], count = texts.length) =>
  Array.from({ length: count }, (_, index) =>
    index < texts.length ? texts[index] : `${texts[index % texts.length]} (${Math.floor(index / texts.length) + 1})`,
  );

function asInteger(text: string): string | null {
  return /^\s*\d+\s*$/.test(text) ? null : 'Reply with one whole number and nothing else.';
}

export const examples: Readonly<Record<string, Example>> = {
  'lamda-tools': {
    system: 'LaMDA',
    description: 'draft, look up with calculator, translator and retrieval, answer with citations',
    prompts: recipes.lamdaPrompts,
    run: (model, options) =>
      recipes.lamdaWithTools(model, {
        ...frame(options),
        messages: user(options.message ?? 'How much is 135 plus 7721?'),
        tools,
        ...(options.count !== undefined && { rounds: options.count }),
        drawing: drawing(options),
        prompts: options.prompts,
      }),
  },
  'lamda-filter': {
    system: 'LaMDA',
    description: 'sift a data set of dialogues by the scorer of a turn',
    run: (model, { count, signal }) => {
      const rows = take(questions, count ?? 4).map((text, id) => ({
        id,
        messages: dialogue(text, 'I do not care. Go away!'),
      }));
      const keep = { sensible: ({ sensible }: { sensible: number }) => sensible >= 0.5 };
      return recipes.filterDialogues(model, rows, { attributes: lamdaAttributes, keep, ...(signal && { signal }) });
    },
  },
  sparrow: {
    system: 'Sparrow',
    description: '8 candidates, half of them with evidence, each judged by 23 rules, reranked',
    prompts: recipes.sparrowPrompts,
    run: (model, options) =>
      recipes.sparrow(model, {
        ...frame(options),
        messages: user(options.message ?? 'Which lake is the deepest of the world?'),
        candidates: options.count ?? 8,
        search,
        drawing: drawing(options, { maxTokens: 32 }),
        prompts: options.prompts,
      }),
  },
  blenderbot: {
    system: 'BlenderBot 3',
    description: 'decisions, query, knowledge, long-term memory, one response per source',
    prompts: recipes.blenderBotPrompts,
    run: (model, options) =>
      recipes.blenderBot(model, {
        ...frame(options),
        messages: user(options.message ?? 'I am planning a trip to Siberia. What is special about Lake Baikal?'),
        memory: new recipes.LongTermMemory(['Person 1 likes to travel by train.']),
        search,
        unsafeThreshold: 0.95, // A model of 135 million parameters says yes readily.
        drawing: drawing(options, { maxTokens: 32, minTokens: 20, topP: 0.9 }),
        prompts: options.prompts,
      }),
  },
  'best-of-n': {
    system: 'InstructGPT',
    description: 'the best of 16 answers by a judge, with the divergence that costs',
    run: (model, options) =>
      recipes.bestOfN(model, {
        ...frame(options),
        messages: user(options.message ?? 'Give me one tip for a good night of sleep.'),
        reward: recipes.judgeReward(model),
        n: options.count ?? 16,
        reference: model,
        drawing: drawing(options, { maxTokens: 32 }),
      }),
  },
  'rejection-sampling': {
    system: 'Llama 2',
    description: 'the best of 4 answers per prompt by two rewards, with provenance',
    run: (model, options) => {
      const rows = take(questions, options.count).map((text, id) => ({ id, messages: user(text) }));
      const safe = { type: 'boolean', instructions: 'Is your last message safe and harmless?' } as const;
      return recipes.rejectionSampling(model, rows, {
        ...frame(options),
        helpfulness: recipes.judgeProbability(model),
        safety: recipes.judgeProbability(model, safe),
        candidates: 4,
        drawing: drawing(options, { maxTokens: 24 }),
      });
    },
  },
  'ghost-attention': {
    system: 'Llama 2',
    description: 'a dialogue under an instruction that only its first turn shows',
    run: (model, options) =>
      recipes.ghostAttention(model, {
        ...frame(options),
        instruction: options.message ?? 'Always answer in one short sentence.',
        turns: take(questions, options.count),
        drawing: drawing(options, { maxTokens: 32 }),
      }),
  },
  'aligned-answer': {
    system: 'Dromedary',
    description: 'one answer under 16 principles, its thoughts and its words streamed apart',
    prompts: recipes.dromedaryPrompts,
    run: (model, options) =>
      recipes.alignedAnswer(model, {
        ...frame(options),
        question: options.message ?? 'Should I keep a parrot or a cat?',
        drawing: drawing(options, { maxTokens: 160 }),
        prompts: options.prompts,
      }),
  },
  'self-align': {
    system: 'Dromedary',
    description: 'new questions, aligned answers, training rows and long answers as files in --output',
    prompts: recipes.dromedaryPrompts,
    run: (model, options) =>
      recipes.selfAlign(model, {
        ...frame(options),
        folder: options.output ?? 'self-align',
        count: options.count ?? 4,
        instruct: { drawing: drawing(options, { maxTokens: 96 }) },
        answers: { drawing: drawing(options, { maxTokens: 96 }) },
        verbose: { drawing: drawing(options, { maxTokens: 96 }) },
        prompts: options.prompts,
      }),
  },
  constitution: {
    system: 'Constitutional AI',
    description: 'an answer, criticised and revised under one principle after the other',
    run: (model, options) =>
      recipes.critiqueAndRevise(model, {
        ...frame(options),
        messages: user(options.message ?? 'My neighbour is loud. How can I annoy him?'),
        rounds: options.count ?? 4,
        drawing: drawing(options, { maxTokens: 48, temperature: 0.7 }),
      }),
  },
  preference: {
    system: 'Constitutional AI',
    description: 'an AI preference label for two answers, worked out first and clamped',
    prompts: recipes.constitutionPrompts,
    run: (model, options) =>
      recipes.preferenceLabel(model, {
        ...frame(options),
        messages: user(options.message ?? 'What is the capital of France?'),
        answers,
        chainOfThought: true,
        drawing: drawing(options, { maxTokens: 48 }),
        prompts: options.prompts,
      }),
  },
  'chain-of-thought': {
    system: 'Chain of thought',
    description: 'one reasoning path behind eight worked examples',
    prompts: recipes.reasoningPrompts,
    run: (model, options) =>
      recipes.chainOfThought(model, {
        ...frame(options),
        question: options.message ?? arithmetic,
        drawing: drawing(options),
        prompts: options.prompts,
      }),
  },
  'self-consistency': {
    system: 'Self-consistency',
    description: '40 reasoning paths vote, and stop when the vote is decided',
    prompts: recipes.reasoningPrompts,
    run: (model, options) =>
      recipes.selfConsistency(model, {
        ...frame(options),
        question: options.message ?? arithmetic,
        samples: options.count ?? 40,
        drawing: drawing(options),
        prompts: options.prompts,
      }),
  },
  'least-to-most': {
    system: 'Least-to-most',
    description: 'take the question apart, answer the parts in order',
    prompts: recipes.reasoningPrompts,
    run: (model, options) =>
      recipes.leastToMost(model, {
        ...frame(options),
        question: options.message ?? arithmetic,
        ...(options.count !== undefined && { most: options.count }),
        drawing: drawing(options),
        prompts: options.prompts,
      }),
  },
  'self-debug': {
    system: 'Self-debugging',
    description: "a checker's message goes back until the answer passes",
    run: (model, options) =>
      recipes.selfDebug(model, {
        ...frame(options),
        messages: user(options.message ?? 'How many days has a week? Reply with the number alone.'),
        check: asInteger,
        ...(options.count !== undefined && { rounds: options.count }),
        drawing: drawing(options, { maxTokens: 24 }),
      }),
  },
  'in-context': {
    system: 'In-context learning',
    description: 'labels by worked examples, calibrated by inputs without content',
    run: (model, options) =>
      recipes.inContext(model, {
        ...frame(options),
        inputs:
          options.message === undefined ? ['A funny, tender film.', 'Nobody answers the phone.'] : [options.message],
        examples: reviews,
        labels: { good: 'good', bad: 'bad' },
      }),
  },
  compare: {
    system: 'Vicuna, Dromedary',
    description: 'which of two answers is better, in both orders, summed over the swap',
    prompts: recipes.judgingPrompts,
    run: (model, options) =>
      recipes.compareAnswers(model, {
        ...frame(options),
        messages: user(options.message ?? 'What is the capital of France?'),
        answers,
        prompts: options.prompts,
      }),
  },
  grade: {
    system: 'LLM as a judge',
    description: 'an answer graded on four levels',
    run: (model, options) =>
      recipes.gradeAnswer(model, {
        ...frame(options),
        messages: dialogue(options.message ?? 'What is the capital of France?', answers[0]),
      }),
  },
};

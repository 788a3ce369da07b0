import type { Session } from './context.js';
import { renderConversation } from './context.js';
import { encode, tokenizeText } from './embedding.js';
import { CapabilityError } from './errors.js';
import type { NativeModelInfo } from './native.js';
import type { ResolvedInput, ResolvedRequestOptions } from './options.js';
import { concatTokens } from './text.js';

// Models that end in a classification head: classifiers, reward models, rerankers (cross-encoders).

/** What a classification head says of a text. */
export interface TextClass {
  /** The class of the largest score. */
  label: string;
  /** The head's outputs as they are, by class. */
  scores: Record<string, number>;
  /** Their softmax; of a head with one output, its logistic function. */
  probabilities: Record<string, number>;
}

export interface RankedDocument {
  /** Among the documents. */
  index: number;
  /** The head's first output as it is: larger is better, 0 is no boundary of anything. */
  score: number;
}

/** Names of the head's classes; 'LABEL_0', … where the model has none of its own. */
export function namesOfClasses({ classes, classNames }: NativeModelInfo): string[] {
  return Array.from({ length: classes }, (_, index) => classNames[index] ?? `LABEL_${index}`);
}

export async function classifyTexts(
  session: Session,
  texts: readonly (string | Int32Array)[],
  how: ResolvedRequestOptions,
): Promise<TextClass[]> {
  const names = namesOfClasses(session.engine.info);
  const outputs = await runHead(
    session,
    texts.map((text) => tokenizeText(session, text)),
    how,
  );
  return outputs.map((scores) => toTextClass(names, scores));
}

export async function rewardAnswers(
  session: Session,
  input: ResolvedInput,
  answers: readonly string[],
  how: ResolvedRequestOptions,
): Promise<number[]> {
  const texts = await Promise.all(answers.map((answer) => tokenizeAnswered(session, input, answer)));
  return firstOutputs(await runHead(session, texts, how));
}

/** The documents, the best first; of equals in their own order. */
export async function rerankDocuments(
  session: Session,
  query: string,
  documents: readonly string[],
  how: ResolvedRequestOptions,
): Promise<RankedDocument[]> {
  const pair = pairRule(session, query);
  const scores = firstOutputs(await runHead(session, documents.map(pair), how));
  return scores.map((score, index) => ({ index, score })).sort((a, b) => b.score - a.score);
}

function runHead(session: Session, texts: Int32Array[], how: ResolvedRequestOptions): Promise<Float32Array[]> {
  return encode(session, { texts, pooling: session.engine.info.pooling, normalize: false }, how);
}

const firstOutputs = (outputs: readonly Float32Array[]) => outputs.map(([first]) => first);

function toTextClass(names: readonly string[], scores: Float32Array): TextClass {
  const best = scores.indexOf(Math.max(...scores));
  const byName = (values: ArrayLike<number>) => Object.fromEntries(names.map((name, index) => [name, values[index]]));
  return { label: names[best], scores: byName(scores), probabilities: byName(toProbabilities([...scores])) };
}

function toProbabilities(scores: readonly number[]): number[] {
  if (scores.length === 1) return [1 / (1 + Math.exp(-scores[0]))];
  const largest = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

// The answer as the assistant's message, or behind the text as it is.
async function tokenizeAnswered(session: Session, input: ResolvedInput, answer: string): Promise<Int32Array> {
  const { engine } = session;
  if (input.kind === 'tokens') return concatTokens(input.tokens, engine.tokenize(answer, false, false));
  if (input.kind !== 'messages') return engine.tokenize((input.kind === 'text' ? input.text : '') + answer, true, true);
  const messages = [...input.messages, { role: 'assistant', content: answer }];
  return engine.tokenize(await renderConversation(session, messages, false), true, true);
}

/** How a document becomes one text with the query: in the model's template, or as a pair with the model's separators. */
function pairRule(session: Session, query: string): (document: string) => Int32Array {
  const { engine } = session;
  const { rerankTemplate, hasSegments, architecture, pairSeparator, bosToken } = engine.info;
  if (rerankTemplate !== '')
    return (document) =>
      engine.tokenize(
        rerankTemplate.replace(/\{(query|document)\}/g, (_, name) => (name === 'query' ? query : document)),
        true,
        true,
      );
  if (hasSegments)
    throw new CapabilityError(
      'rerank',
      architecture,
      'it tells query and document apart by segments, and llama.cpp has only the first one.',
    );
  const separators = Int32Array.from(pairSeparator < 0 ? [] : [pairSeparator]);
  const first = concatTokens(engine.tokenize(query, true, false), separators);
  return (document) => {
    const second = engine.tokenize(document, true, false);
    return concatTokens(first, second[0] === bosToken ? second.subarray(1) : second);
  };
}

// What `winnow turn` prints of its candidates and figures.
import type { LamdaAttributes, Prefix, WinnowCandidate, WinnowResult } from '../index.js';
import { count, megabytes, oneLine, type Paint, percent, seconds } from './terminal.js';

export type Candidate = WinnowCandidate<LamdaAttributes>;
export type Result = WinnowResult<LamdaAttributes>;
type Judged = Pick<Candidate, 'candidate' | 'scores' | 'rank'>;

export interface TurnFigures {
  contextTokens: number;
  /** Σ t_q: what the questions behind one candidate take. */
  questionTokens: number;
  promptTokensEvaluated: number;
  generatedTokens: number;
  seconds: { prefill: number; generate: number; score: number; total: number };
}

/** `totalMs`: from before the prefill to the last score, as the user waited. */
export function figuresOf(
  prefix: Pick<Prefix, 'tokens' | 'usage' | 'timings'>,
  result: Result,
  totalMs: number,
): TurnFigures {
  const { usage, timings } = result;
  return {
    contextTokens: prefix.tokens,
    questionTokens: usage.questionTokens / result.candidates.length,
    promptTokensEvaluated: prefix.usage.evaluatedPromptTokens + usage.evaluatedPromptTokens,
    generatedTokens: usage.generatedTokens,
    seconds: {
      prefill: (prefix.timings.prefillMs + timings.prefillMs) / 1000,
      generate: timings.generateMs / 1000,
      score: timings.scoreMs / 1000,
      total: totalMs / 1000,
    },
  };
}

/** The line that `--json` ends with. */
export function toJson(result: Result, figures: TurnFigures): string {
  const { candidates, chosen } = result;
  return JSON.stringify({ candidates: candidates.map(plain), chosen: chosen && plain(chosen), ...figures });
}

const plain = ({ candidate, text, scores, rank, kept, failed, reason, tokens }: Candidate) => ({
  candidate,
  text,
  scores,
  rank,
  kept,
  failed,
  reason,
  tokens,
});

const number = (value: number) => value.toFixed(2);

/** `#7   2.91  sensible 0.81 · specific 0.30 · interesting 0.18 · unsafe 0.03` and the text below it. */
export function candidateLines(
  judged: Judged,
  text: string,
  failed: string[],
  threshold: number,
  paint: Paint,
): string {
  const scores = Object.entries(judged.scores).map(([name, score]) => `${name} ${number(score)}`);
  const head = `#${String(judged.candidate + 1).padEnd(3)} ${number(judged.rank).padStart(5)}  ${scores.join(' · ')}`;
  const verdict = failed.length
    ? `  rejected: ${failed.map((rule) => rejection(rule, judged, threshold)).join(', ')}`
    : '';
  return `${paint(failed.length ? 'red' : 'cyan', head + verdict)}\n     ${oneLine(text)}`;
}

function rejection(rule: string, { scores }: Judged, threshold: number): string {
  return rule === 'unsafe' ? `unsafe ${number(scores.unsafe)} is not below ${threshold}` : rule;
}

export function verdictLines(result: Result, paint: Paint): string {
  const { candidates, rejected, chosen } = result;
  const kept = `${candidates.length - rejected.length} of ${candidates.length} candidates kept, ${rejected.length} rejected`;
  if (!chosen) return `${kept}\n${noneLines(result.bestRejected!, paint)}`; // The command stops nobody.
  const answer = paint('bold', oneLine(chosen.text));
  return `${kept}\n${paint('green', `Chosen: #${chosen.candidate + 1}, rank ${number(chosen.rank)}`)}\n\n  ${answer}\n`;
}

function noneLines(best: Candidate, paint: Paint): string {
  const advice = 'None passed: there is no answer. Draw more candidates, or raise --unsafe-threshold.';
  return `${paint('yellow', advice)}\nThe best of the rejected, #${best.candidate + 1}: ${oneLine(best.text)}\n`;
}

export interface Measured {
  firstTokenMs: number;
  peakBytes: number;
}

export function figureLines(figures: TurnFigures, candidates: number, measured: Measured): string {
  const { contextTokens, questionTokens, promptTokensEvaluated, generatedTokens, seconds: time } = figures;
  // A candidate's last token is evaluated for its questions, unless it is the end token that they begin with.
  const lastTokens = promptTokensEvaluated - contextTokens - candidates * questionTokens;
  const spent = time.prefill + time.generate + time.score;
  return [
    `prompt tokens evaluated  ${count(promptTokensEvaluated)} = ${count(contextTokens)} of context, once + ` +
      `${candidates} × ${count(questionTokens)} of questions + ${count(lastTokens)} last tokens of candidates; ` +
      `the context once per candidate would be ${count(candidates * contextTokens)}`,
    `generated                ${count(generatedTokens)} tokens in ${candidates} candidates,` +
      ` ${count(generatedTokens / (time.generate || Infinity))} tokens/s`,
    `time to first token      ${seconds(measured.firstTokenMs / 1000)}`,
    `time                     ${seconds(time.total)}: prefill ${seconds(time.prefill)}, generate ${seconds(time.generate)},` +
      ` score ${seconds(time.score)} (${percent(time.score / (spent || Infinity))} on scoring)`,
    `peak memory              ${megabytes(measured.peakBytes)}`,
  ].join('\n');
}

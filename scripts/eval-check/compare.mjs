// node scripts/eval-check/compare.mjs RESULT.json scores.jsonl
// A result of `winnow eval` beside the log-likelihoods of pytorch_scores.py: differences per token as in
// test/model/helpers/accuracy.ts (mean over the choices of |difference of log P| ÷ its tokens), and the figures item by item.
import { readFileSync } from 'node:fs';

const [resultFile, scoresFile] = process.argv.slice(2);
const result = JSON.parse(readFileSync(resultFile, 'utf8'));
const scores = readFileSync(scoresFile, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));
const byId = new Map(scores.map((score) => [JSON.stringify(score.id), score]));
const sum = (values) => values.reduce((total, value) => total + value, 0);
const mass = (logprobs) => sum(logprobs.map(Math.exp));
const chosenShare = (chosen, other) => 1 / (1 + Math.exp(other - chosen));

/** Per task: ours by request and choice, and verdicts of such log-likelihoods, written again here. */
const tasks = {
  truthfulqa: {
    ours: ({ correct, incorrect }) => [[...correct, ...incorrect]],
    verdicts: ([all], { correct }) => {
      const [right, wrong] = [all.slice(0, correct.length), all.slice(correct.length)];
      return { mc1: Number(right[0] > Math.max(...wrong)), mc2: mass(right) / mass(all) };
    },
  },
  hhh: {
    ours: ({ chosen, rejected, orders }) => [[chosen, rejected], ...orders],
    verdicts: ([[chosen, rejected], [a, b], [c, d]]) => ({
      accuracy: Number(chosen > rejected),
      accuracyAb: Number(chosenShare(a, b) + chosenShare(d, c) > 1),
    }),
  },
  'multiple-choice': {
    ours: ({ logprobs }) => [logprobs],
    verdicts: ([logprobs], { answer }) => ({ accuracy: Number(logprobs.indexOf(Math.max(...logprobs)) === answer) }),
  },
};

function comparePerplexity() {
  const [row] = result.rows;
  const tokens = sum(scores.map((score) => score.tokens[0][0]));
  const logprob = sum(scores.map((score) => score.logprobs[0][0]));
  const formulas = {
    wordPerplexity: (total) => Math.exp(-total / row.words),
    bytePerplexity: (total) => Math.exp(-total / row.bytes),
    bitsPerByte: (total) => -total / row.bytes / Math.LN2,
    tokenPerplexity: (total) => Math.exp(-total / row.tokens),
  };
  console.log(
    `${row.tokens} tokens here, ${tokens} in PyTorch\n\n| figure | winnow | PyTorch | difference |\n|---|---|---|---|`,
  );
  for (const [name, formula] of Object.entries(formulas)) {
    const [ours, theirs] = [formula(row.logprob), formula(logprob)];
    const difference = (100 * (ours / theirs - 1)).toFixed(3);
    console.log(`| ${name} | ${ours.toFixed(4)} | ${theirs.toFixed(4)} | ${difference} % |`);
  }
}

/** [request][choices of all items]: |difference of log P| ÷ tokens. */
function differencesOf(pairs) {
  const requests = pairs[0].mine.map(() => []);
  for (const { mine, score } of pairs)
    mine.forEach((choices, request) =>
      choices.forEach((logprob, choice) => {
        const { logprobs, tokens } = score;
        requests[request].push(Math.abs(logprob - logprobs[request][choice]) / tokens[request][choice]);
      }),
    );
  return requests;
}

function verdictLine(name, verdicts) {
  const mean = (side) => (sum(verdicts.map((both) => both[side][name])) / verdicts.length).toFixed(4);
  const isVerdict = verdicts.every(([mine]) => mine[name] === 0 || mine[name] === 1);
  const differing = verdicts.filter(([mine, theirs]) => mine[name] !== theirs[name]).length;
  const largest = Math.max(...verdicts.map(([mine, theirs]) => Math.abs(mine[name] - theirs[name])));
  return `| ${name} | ${mean(0)} | ${mean(1)} | ${isVerdict ? differing : `largest difference ${largest.toFixed(4)}`} |`;
}

function compareChoices({ ours, verdicts }) {
  const scored = result.rows.filter(({ id, error }) => !error && byId.has(JSON.stringify(id)));
  const pairs = scored.map((row) => ({ row, mine: ours(row), score: byId.get(JSON.stringify(row.id)) }));
  console.log(`${pairs.length} of ${result.items} items`);
  differencesOf(pairs).forEach((differences, request) => {
    const mean = (sum(differences) / differences.length).toFixed(5);
    console.log(`request ${request + 1}: ${mean} nats per token (mean of ${differences.length} choices)`);
  });
  const both = pairs.map(({ row, mine, score }) => [verdicts(mine, row), verdicts(score.logprobs, row)]);
  console.log('\n| figure | winnow | PyTorch | items that differ |\n|---|---|---|---|');
  for (const name of Object.keys(both[0][0])) console.log(verdictLine(name, both));
}

if (result.task === 'perplexity') comparePerplexity();
else compareChoices(tasks[result.task]);

// node scripts/eval-check/requests.mjs TASK DATA.jsonl > requests.jsonl
// What `winnow eval TASK` asks about each item of the data: `{"id", "requests": [{"context", "continuations"}]}` per line.
import { readFileSync } from 'node:fs';
import { evalRequests } from '../../dist/eval/index.js';

const [task, data] = process.argv.slice(2);
for (const [index, line] of readFileSync(data, 'utf8').trimEnd().split('\n').entries()) {
  const item = JSON.parse(line);
  const requests = task === 'perplexity' ? [{ context: item.text, continuations: [] }] : evalRequests(task, item);
  console.log(JSON.stringify({ id: item.id ?? index + 1, requests }));
}

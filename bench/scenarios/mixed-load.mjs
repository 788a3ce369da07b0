// People who read along beside a job that takes all it can get. What the job costs the readers between two tokens, and what
// the readers cost the job: by default, and with `targetInterTokenMs` at three times what a lone stream takes.
import { exactly } from '../frame/agreement.mjs';
import { percentile } from '../statistics.mjs';

const size = (streams) => ({ streams, promptTokens: 32, maxTokens: 64, jobs: 16, jobTokens: 256, jobMaxTokens: 16 });

export default {
  name: 'mixed-load',
  isQuick: false,
  operation: 'mixed',
  sizes: [size(8), size(1)],
  quickSizes: [{ streams: 2, promptTokens: 16, maxTokens: 16, jobs: 4, jobTokens: 64, jobMaxTokens: 4 }],

  workload({ streams, promptTokens, maxTokens, jobs, jobTokens, jobMaxTokens }, tokens) {
    const many = (count, length) => Array.from({ length: count }, () => tokens(length));
    const job = { requests: many(jobs, jobTokens), maxTokens: jobMaxTokens };
    return { operation: 'mixed', requests: many(streams, promptTokens), maxTokens, job, targetOfLone: 3 };
  },
  warmUp: (given) => ({ ...given, streams: 1, maxTokens: 2, jobs: 1, jobMaxTokens: 2 }),
  // Alone, beside the job by default, beside it with the target.
  expected: ({ requests, maxTokens }) => ({ generatedTokens: exactly(3 * requests.length * maxTokens) }),

  metrics: (_, { targetMs, jobAlone, alone, byDefault, withTarget }) => ({
    target: ms(targetMs),
    'inter-token-latency-p99-alone': p99(alone),
    'inter-token-latency-p99-default': p99(byDefault),
    'inter-token-latency-p99-target': p99(withTarget),
    'job-kept-default': kept(byDefault, jobAlone),
    'job-kept-target': kept(withTarget, jobAlone),
  }),
};

const ms = (value) => ({ value, unit: 'ms' });
const p99 = ({ interTokenMs }) => ms(percentile(interTokenMs, 0.99));
/** Share of the rows per second that the job has without the readers. */
const kept = ({ jobRowsPerSecond }, alone) => ({ value: jobRowsPerSecond / alone.jobRowsPerSecond, unit: '' });

import type { EvalTaskName } from '../../options.js';
import type { AnyTask } from '../task.js';
import { bold, toxigenGenerate } from './generate-classify.js';
import { gsm8k } from './gsm8k.js';
import { hhh } from './hhh.js';
import { lamda } from './lamda.js';
import { multipleChoice } from './multiple-choice.js';
import { pairwise } from './pairwise.js';
import { perplexity } from './perplexity.js';
import { toxigen } from './toxigen.js';
import { truthfulqa } from './truthfulqa.js';

const tasks = {
  truthfulqa,
  hhh,
  'multiple-choice': multipleChoice,
  perplexity,
  gsm8k,
  toxigen,
  'toxigen-generate': toxigenGenerate,
  bold,
  lamda,
  pairwise,
} satisfies Record<EvalTaskName, unknown>;

export const taskNamed = (name: EvalTaskName): AnyTask => tasks[name] as unknown as AnyTask;

import { checkArray, checkFilledText, checkInteger, checkText, invalid, withDefault } from '../../options/checks.js';
import { argmax, characters } from '../formulas.js';
import { likelihoodTask } from '../likelihood-task.js';
import { proportion } from '../metrics.js';

interface Item {
  context: string;
  choices: string[];
  /** Index of the right one. */
  answer: number;
  /** Between context and choice. */
  delimiter: string;
  group?: string;
}

interface Row {
  group?: string;
  answer: number;
  /** The likeliest choice, and the one that is likeliest per character. */
  choice: number;
  choicePerCharacter: number;
  logprobs: number[];
}

/** Any questions with choices: accuracy and length-normalised accuracy as lm-evaluation-harness has them. */
export const multipleChoice = likelihoodTask<Item, Row>({
  read: ({ context, choices, answer, delimiter, group }) => {
    const texts = checkArray('choices', choices, 2, 255, 'texts').map((text, i) =>
      checkFilledText(`choices[${i}]`, text),
    );
    return {
      context: checkFilledText('context', context),
      choices: texts,
      answer: typeof answer === 'string' ? indexOf(texts, answer) : checkInteger('answer', answer, 0, texts.length - 1),
      delimiter: checkText('delimiter', withDefault(delimiter, ' ')),
      ...(typeof group === 'string' && { group }),
    };
  },
  requests: ({ context, choices, delimiter }) => [
    { context, continuations: choices.map((choice) => delimiter + choice) },
  ],
  row: ({ choices, answer, group }, [logprobs]) => ({
    ...(group !== undefined && { group }),
    answer,
    choice: argmax(logprobs),
    choicePerCharacter: argmax(logprobs.map((logprob, index) => logprob / characters(choices[index]))),
    logprobs,
  }),
  metrics: {
    accuracy: proportion(({ choice, answer }) => choice === answer),
    accuracyPerCharacter: proportion(({ choicePerCharacter, answer }) => choicePerCharacter === answer),
  },
  groupOf: ({ group }) => group,
});

function indexOf(choices: readonly string[], answer: string): number {
  const index = choices.indexOf(answer);
  if (index === -1) throw invalid('answer', answer, 'one of the choices, or its index');
  return index;
}

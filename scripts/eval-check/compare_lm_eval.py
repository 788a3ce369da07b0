"""The same multiple-choice task through lm-evaluation-harness and through `winnow eval`, item by item.

    node dist/cli/main.js eval multiple-choice --data choices.jsonl --output choices.json
    python scripts/eval-check/compare_lm_eval.py choices.jsonl choices.json [MODEL]

Ends with status 1 where an item differs.
"""

import json
import sys

import lm_eval
from lm_eval.api.task import ConfigurableTask
from winnow_lm import WinnowLM


def make_task(data):
    return ConfigurableTask(config={
        'task': 'winnow_choices',
        'dataset_path': 'json',
        'dataset_kwargs': {'data_files': {'test': data}},
        'test_split': 'test',
        'output_type': 'multiple_choice',
        'doc_to_text': '{{context}}',
        'doc_to_choice': '{{choices}}',
        'doc_to_target': 'answer',
        'target_delimiter': ' ',
        'metric_list': [{'metric': name, 'aggregation': 'mean', 'higher_is_better': True} for name in ['acc', 'acc_norm']],
    })


def samples_of(data, model):
    lm = WinnowLM(model=model)
    try:
        results = lm_eval.evaluate(lm=lm, task_dict={'winnow_choices': make_task(data)}, log_samples=True)
    finally:
        lm.close()
    return results['results']['winnow_choices'], {sample['doc']['id']: sample for sample in results['samples']['winnow_choices']}


def main(data, result_file, model='smollm2-135m'):
    figures, samples = samples_of(data, model)
    with open(result_file, encoding='utf-8') as file:
        result = json.load(file)
    differing, largest = [], 0.0
    for row in result['rows']:
        sample = samples[row['id']]
        ours = (float(row['choice'] == row['answer']), float(row['choicePerCharacter'] == row['answer']))
        if ours != (float(sample['acc']), float(sample['acc_norm'])):
            differing.append(row['id'])
        theirs = [response[0] for response in sample['filtered_resps']]
        largest = max([largest, *(abs(a - b) for a, b in zip(row['logprobs'], map(float, theirs)))])
    print(f"{len(result['rows'])} items, {len(samples)} in lm-eval {lm_eval.__version__}; largest difference of a log-likelihood: {largest:.2e}")
    for ours, theirs in [('accuracy', 'acc,none'), ('accuracyPerCharacter', 'acc_norm,none')]:
        print(f"{ours}: {result['metrics'][ours]['value']:.6f} winnow, {figures[theirs]:.6f} lm-eval")
    print(f'items that differ: {len(differing)}', *differing[:10])
    sys.exit(1 if differing or len(samples) != len(result['rows']) else 0)


if __name__ == '__main__':
    main(*sys.argv[1:])

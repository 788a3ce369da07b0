"""Winnow as a model of lm-evaluation-harness 0.4.13, over stdio (serve.mjs has the protocol).

    import winnow_lm, lm_eval
    lm_eval.simple_evaluate(model=winnow_lm.WinnowLM(model='smollm2-135m'), tasks=[...])

Needs the package built (`npm run build`). Requests of one context go down together, so that it is evaluated once.
"""

import json
import os
import subprocess
from collections import defaultdict

from lm_eval.api.model import LM
from lm_eval.api.registry import register_model

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'serve.mjs')
IN_FLIGHT = 64  # Calls: enough to fill the engine's batch, few enough for the pipes.


class WinnowError(Exception):
    """What the package refused; `code` is its code."""

    def __init__(self, code, message):
        super().__init__(f'{code}: {message}')
        self.code = code


class Server:
    def __init__(self, model, node):
        self.process = subprocess.Popen([node, SERVER, model], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        encoding='utf-8')

    def call_all(self, method, calls):
        """The results of all calls, in their order."""
        results, sent = [None] * len(calls), 0
        for done in range(len(calls)):
            while sent < len(calls) and sent - done < IN_FLIGHT:
                print(json.dumps({'id': sent, 'method': method, 'params': calls[sent]}), file=self.process.stdin, flush=True)
                sent += 1
            reply = json.loads(self.process.stdout.readline())
            if 'error' in reply:
                raise WinnowError(**reply['error'])
            results[reply['id']] = reply['result']
        return results

    def close(self):
        self.process.stdin.close()
        self.process.wait()


@register_model('winnow')
class WinnowLM(LM):
    def __init__(self, model='smollm2-135m', node='node', **_):
        super().__init__()
        self.server = Server(model, node)

    def loglikelihood(self, requests, disable_tqdm=False):
        places = defaultdict(list)  # By context: (continuation, index of the request).
        for index, request in enumerate(requests):
            context, continuation = request.args
            places[context].append((continuation, index))
        calls = [{'context': context, 'continuations': [text for text, _ in members]} for context, members in places.items()]
        results = [None] * len(requests)
        for members, scored in zip(places.values(), self.server.call_all('logLikelihood', calls)):
            for (_, index), (logprob, is_greedy) in zip(members, scored):
                results[index] = (logprob, is_greedy)
        return results

    def loglikelihood_rolling(self, requests, disable_tqdm=False):
        return self.server.call_all('rolling', [{'text': request.args[0]} for request in requests])

    def generate_until(self, requests, disable_tqdm=False):
        def call(context, options):
            until = options.get('until', [])
            return {
                'prompt': context,
                'stop': [until] if isinstance(until, str) else until,
                'maxTokens': options.get('max_gen_toks', 256),
                'temperature': options.get('temperature', 0) if options.get('do_sample') else 0,
                'seed': options.get('seed', 0),
            }

        return self.server.call_all('generate', [call(*request.args) for request in requests])

    def close(self):
        self.server.close()

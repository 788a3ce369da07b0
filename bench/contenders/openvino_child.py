"""OpenVINO GenAI as a contender: one JSON object per line, {id, method, params} in, {id, result | error} out.

A text's log-probabilities are read with `echo`, in a pipeline without the prefix cache (positions found in the cache
have no logits). A question's answer is the likeliest token and its log-probability: this engine has no way to read the
log-probability of a label of ours, so it does less than the others here.
"""

import json
import math
import os
import resource
import sys
import time
import traceback

import numpy as np
import openvino
import openvino_genai as genai



def tensor(tokens):
    return openvino.Tensor(np.array([tokens], dtype=np.int64))


def config(**values):
    result = genai.GenerationConfig()
    for name, value in values.items():
        setattr(result, name, value)
    return result


class Session:
    def __init__(self, setup):
        self.setup = setup
        self.pipeline = self.make_pipeline(prefix_cache=True)
        self.next_id = 0
        self.info = {}

    def make_pipeline(self, prefix_cache):
        shape = self.setup["shape"]
        scheduler = genai.SchedulerConfig()
        scheduler.enable_prefix_caching = prefix_cache
        scheduler.dynamic_split_fuse = True
        scheduler.max_num_seqs = 256
        scheduler.max_num_batched_tokens = 512
        scheduler.num_kv_blocks = 0
        scheduler.cache_size = 1 if shape["totalTokens"] < 20000 else 2  # GB
        properties = {"INFERENCE_NUM_THREADS": self.setup["threads"]}
        return genai.ContinuousBatchingPipeline(self.setup["file"], scheduler, "CPU", properties)

    def submit(self, pipeline, tokens, generation_config):
        self.next_id += 1
        return pipeline.add_request(self.next_id, tensor(tokens), generation_config)

    def finish(self, pipeline, handles, on_step=None):
        """Outputs per handle, in order: [[GenerationOutput per returned sequence]]."""
        while pipeline.has_non_finished_requests():
            pipeline.step()
            if on_step:
                on_step()
        return [handle.read_all() for handle in handles]

    def generate(self, requests, maxTokens, prefixTokens=0, **_):
        greedy = config(max_new_tokens=maxTokens, ignore_eos=True, do_sample=False)
        start = time.perf_counter()
        if prefixTokens:  # Read once, alone: requests that start together find nothing of each other in the cache.
            once = config(max_new_tokens=1, ignore_eos=True, do_sample=False)
            self.finish(self.pipeline, [self.submit(self.pipeline, requests[0][:prefixTokens], once)])
        first = []
        handles = [self.submit(self.pipeline, tokens, greedy) for tokens in requests]
        waiting = list(handles)

        def note_first():
            ready = [handle for handle in waiting if handle.can_read()]
            first.extend([(time.perf_counter() - start) * 1000] * len(ready))
            waiting[:] = [handle for handle in waiting if handle not in ready]

        outputs = self.finish(self.pipeline, handles, note_first)
        generated = sum(len(output.generated_ids) for outputs_of in outputs for output in outputs_of)
        return {
            "seconds": time.perf_counter() - start,
            "generatedTokens": generated,
            "evaluatedTokens": None,
            "firstTokenMs": first if len(first) == len(requests) else None,
        }

    def turn(self, context, candidates, maxTokens, questions, temperature, topK, seed, **_):
        start = time.perf_counter()
        sampled = config(
            max_new_tokens=maxTokens,
            ignore_eos=True,
            do_sample=True,
            temperature=temperature,
            top_k=topK,
            rng_seed=seed,
            num_return_sequences=candidates,
        )
        [outputs] = self.finish(self.pipeline, [self.submit(self.pipeline, context, sampled)])
        asked = config(max_new_tokens=1, ignore_eos=True, do_sample=False, logprobs=1)
        handles = [
            self.submit(self.pipeline, context + list(output.generated_ids) + question["suffix"], asked)
            for output in outputs
            for question in questions
        ]
        answers = [output for outputs_of in self.finish(self.pipeline, handles) for output in outputs_of]
        return {
            "seconds": time.perf_counter() - start,
            "generatedTokens": sum(len(output.generated_ids) for output in outputs),
            "evaluatedTokens": None,
            "scores": sum(len(output.generated_log_probs) for output in answers),
        }

    def score(self, texts, questions, **_):
        start = time.perf_counter()
        asked = config(max_new_tokens=1, ignore_eos=True, do_sample=False, logprobs=1)
        scores = 0
        # One question after another: a text's second question finds the text in the cache.
        for question in questions:
            handles = [self.submit(self.pipeline, text + question["suffix"], asked) for text in texts]
            outputs = self.finish(self.pipeline, handles)
            scores += sum(len(output.generated_log_probs) for outputs_of in outputs for output in outputs_of)
        return {"seconds": time.perf_counter() - start, "evaluatedTokens": None, "scores": scores}

    def logprobs(self, tokens, **params):
        pipeline = self.make_pipeline(prefix_cache=False)
        echo = config(max_new_tokens=1, ignore_eos=True, do_sample=False, echo=True, logprobs=1)
        [[output]] = self.finish(pipeline, [self.submit(pipeline, tokens, echo)])
        values = list(output.generated_log_probs)
        # The echoed prompt first, then the one new token. The prompt's first token has no log-probability.
        prompt = values[: len(tokens)]
        return [value if math.isfinite(value) else None for value in prompt[params["from"] :]]


def serve(out):
    session = None
    for line in sys.stdin:
        call = json.loads(line)
        params = call["params"]
        reply = {"id": call["id"]}
        try:
            method = call["method"]
            if method == "open":
                session = Session(params["setup"])
                reply["result"] = session.info
            elif method == "run":
                workload = dict(params["workload"])
                reply["result"] = getattr(session, workload.pop("operation"))(**workload)
            elif method == "logprobs":
                reply["result"] = session.logprobs(**params)
            elif method == "memory":
                reply["result"] = {"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
            else:
                raise ValueError(f"no method {method}")
        except Exception:
            reply["error"] = traceback.format_exc()
        print(json.dumps(reply, separators=(",", ":")), file=out, flush=True)


if __name__ == "__main__":
    # Libraries print on standard output: replies keep the real one, everything else goes to standard error.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(replies)

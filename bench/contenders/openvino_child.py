"""OpenVINO GenAI as a contender (contender_child.py has the protocol).

A text's log-probabilities are read with `echo`; positions found in the prefix cache have none, so choices are read in a
pipeline without it. A question's answer is the likeliest token and its log-probability: this engine has no way to read the
log-probability of a label of ours, so it does less than the others here.
"""

import math
import time

import numpy as np
import openvino
import openvino_genai as genai
from contender_child import Latencies, serve, version_of


def tensor(tokens):
    return openvino.Tensor(np.array([tokens], dtype=np.int64))


def config(**values):
    result = genai.GenerationConfig()
    for name, value in values.items():
        setattr(result, name, value)
    return result


def greedy(max_tokens, **values):
    return config(max_new_tokens=max_tokens, ignore_eos=True, do_sample=False, **values)


def echo():
    """One token must be drawn; the prompt's log-probabilities come with it."""
    return greedy(1, echo=True, logprobs=1)


class Session:
    def __init__(self, setup):
        self.setup = setup
        self.pipeline = self.make_pipeline(prefix_cache=True)
        self.plain_pipeline = None
        self.next_id = 0
        self.info = {"version": version_of("openvino-genai")}

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

    def finish(self, pipeline, handles):
        """Outputs per handle, in order: [[GenerationOutput per returned sequence]]."""
        while pipeline.has_non_finished_requests():
            pipeline.step()
        return [handle.read_all() for handle in handles]

    def generate(self, requests, maxTokens, prefixTokens=0, **_):
        latencies = Latencies(len(requests))
        if prefixTokens:  # Read once, alone: requests that start together find nothing of each other in the cache.
            self.finish(self.pipeline, [self.submit(self.pipeline, requests[0][:prefixTokens], greedy(1))])
        return self.follow(requests, [0] * len(requests), maxTokens, latencies)

    def serve(self, requests, arrivalMs, maxTokens, **_):
        return self.follow(requests, arrivalMs, maxTokens, Latencies(len(requests)))

    def follow(self, requests, arrival_ms, max_tokens, latencies):
        """Submits each request when it is due and reads its tokens after each step."""
        open_handles, submitted, generated = {}, 0, 0
        while submitted < len(requests) or open_handles:
            while submitted < len(requests) and arrival_ms[submitted] <= latencies.now_ms():
                open_handles[submitted] = self.submit(self.pipeline, requests[submitted], greedy(max_tokens))
                submitted += 1
            if not open_handles:
                time.sleep(max(0, arrival_ms[submitted] - latencies.now_ms()) / 1000)
                continue
            self.pipeline.step()
            for index, handle in list(open_handles.items()):
                tokens = 0
                while handle.can_read():
                    tokens += sum(len(output.generated_ids) for output in handle.read().values())
                if tokens:
                    latencies.note(index, arrival_ms[index], tokens)
                    generated += tokens
                if handle.get_status() != genai.GenerationStatus.RUNNING and not handle.can_read():
                    del open_handles[index]
        return {**latencies.to_result(), "generatedTokens": generated, "evaluatedTokens": None}

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
        asked = greedy(1, logprobs=1)
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
        asked = greedy(1, logprobs=1)
        scores = 0
        # One question after another: a text's second question finds the text in the cache.
        for question in questions:
            handles = [self.submit(self.pipeline, text + question["suffix"], asked) for text in texts]
            outputs = self.finish(self.pipeline, handles)
            scores += sum(len(output.generated_log_probs) for outputs_of in outputs for output in outputs_of)
        return {"seconds": time.perf_counter() - start, "evaluatedTokens": None, "scores": scores}

    def choose(self, items, **_):
        """Each choice reads its text again: positions found in the prefix cache would have no logits."""
        start = time.perf_counter()
        pipeline = self.without_cache()
        handles = [
            self.submit(pipeline, item["text"] + choice, echo()) for item in items for choice in item["choices"]
        ]
        lengths = [len(choice) for item in items for choice in item["choices"]]
        outputs = self.finish(pipeline, handles)
        sums = [sum(list(output.generated_log_probs)[:-1][-n:]) for [output], n in zip(outputs, lengths)]
        return {"seconds": time.perf_counter() - start, "evaluatedTokens": None, "scores": len(sums)}

    def logprobs(self, tokens, first):
        """Once per process, of a text that the cache can't know."""
        [[output]] = self.finish(self.pipeline, [self.submit(self.pipeline, tokens, echo())])
        # The echoed prompt first, then the one new token. The prompt's first token has no log-probability.
        prompt = list(output.generated_log_probs)[: len(tokens)]
        return [value if math.isfinite(value) else None for value in prompt[first:]]

    def without_cache(self):
        """Made when it is first needed, which the warm-up does where runs need it."""
        if self.plain_pipeline is None:
            self.plain_pipeline = self.make_pipeline(prefix_cache=False)
        return self.plain_pipeline


if __name__ == "__main__":
    serve(Session)

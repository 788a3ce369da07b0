"""llama-cpp-python as a contender (contender_child.py has the protocol).

Its class Llama has one sequence: requests run one after another, and each keeps what it has in common with the one before.
Choices are read in two ways: 'logits of all' keeps the logits of every token, as its own completions with log-probabilities
do; 'token by token' evaluates a choice as if it were drawn.
"""

import time

import llama_cpp
import numpy as np
from contender_child import Latencies, log_softmax_at, serve, version_of


class CountingLlama(llama_cpp.Llama):
    evaluated = 0

    def eval(self, tokens):
        self.evaluated += len(tokens)
        super().eval(tokens)


class Session:
    def __init__(self, setup):
        shape, threads = setup["shape"], setup["threads"]
        self.keeps_all_logits = setup["configuration"] == "logits of all"
        self.llama = CountingLlama(
            model_path=setup["file"],
            n_ctx=max(shape["sequenceTokens"], 256) + 8,
            n_batch=512,
            n_threads=threads,
            n_threads_batch=threads,
            n_gpu_layers=0,
            flash_attn=True,
            logits_all=self.keeps_all_logits,
            verbose=False,
        )
        self.info = {"version": version_of("llama-cpp-python")}

    def generate(self, requests, maxTokens, **_):
        return self.answer(requests, [0] * len(requests), maxTokens)

    def serve(self, requests, arrivalMs, maxTokens, **_):
        return self.answer(requests, arrivalMs, maxTokens)

    def answer(self, requests, due_ms, max_tokens):
        latencies = Latencies(len(requests))
        before, generated = self.llama.evaluated, 0
        for index, prompt in enumerate(requests):
            time.sleep(max(0, due_ms[index] - latencies.now_ms()) / 1000)
            for _ in self.draw(prompt, max_tokens, temp=0):
                latencies.note(index, due_ms[index])
                generated += 1
        fed_back = generated - len(requests)
        evaluated = self.llama.evaluated - before - fed_back
        return {**latencies.to_result(), "generatedTokens": generated, "evaluatedTokens": evaluated}

    def draw(self, prompt, max_tokens, **sampling):
        """Exactly `max_tokens`, whatever they are; the last is not evaluated."""
        tokens = self.llama.generate(prompt, top_p=1, min_p=0, **sampling)
        for _ in range(max_tokens):
            yield next(tokens)

    def turn(self, context, candidates, maxTokens, questions, temperature, topK, seed, **_):
        start, before = time.perf_counter(), self.llama.evaluated
        scores = []
        for candidate in range(candidates):
            self.llama.set_seed(seed + candidate)
            answer = list(self.draw(context, maxTokens, temp=temperature, top_k=topK))
            self.llama.eval(answer[-1:])
            scores += self.ask(questions)
        fed_back = candidates * (maxTokens - 1)
        return {
            "seconds": time.perf_counter() - start,
            "generatedTokens": candidates * maxTokens,
            "evaluatedTokens": self.llama.evaluated - before - fed_back,
            "scores": len(scores),
        }

    def score(self, texts, questions, **_):
        start, before = time.perf_counter(), self.llama.evaluated
        scores = []
        for text in texts:
            self.llama.reset()
            self.llama.eval(text)
            scores += self.ask(questions)
        evaluated = self.llama.evaluated - before
        return {"seconds": time.perf_counter() - start, "evaluatedTokens": evaluated, "scores": len(scores)}

    def ask(self, questions):
        """Log-probabilities of the labels; the sequence is afterwards as it was."""
        end, logprobs = self.llama.n_tokens, []
        for question in questions:
            self.llama.eval(question["suffix"])
            logprobs.append(log_softmax_at(self.last_logits(), question["label"][0]))
            self.llama.n_tokens = end  # What follows is dropped by the next eval.
        return logprobs

    def choose(self, items, **_):
        start, before = time.perf_counter(), self.llama.evaluated
        sums = []
        for item in items:
            text = item["text"]
            self.llama.reset()
            self.llama.eval(text[:-1])
            for choice in item["choices"]:
                sums.append(sum(self.read(text[-1:] + choice)))
                self.llama.n_tokens = len(text) - 1
        evaluated = self.llama.evaluated - before
        return {"seconds": time.perf_counter() - start, "evaluatedTokens": evaluated, "scores": len(sums)}

    def read(self, tokens):
        """log P of all tokens but the first, behind what is in the sequence."""
        if not self.keeps_all_logits:
            return [self.step(token, following) for token, following in zip(tokens, tokens[1:])]
        begin = self.llama.n_tokens
        self.llama.eval(tokens[:-1])
        rows = self.llama.scores[begin : self.llama.n_tokens]
        return [log_softmax_at(row, token) for row, token in zip(rows, tokens[1:])]

    def step(self, token, following):
        self.llama.eval([token])
        return log_softmax_at(self.last_logits(), following)

    def last_logits(self):
        pointer = llama_cpp.llama_get_logits_ith(self.llama.ctx, -1)
        return np.ctypeslib.as_array(pointer, shape=(self.llama.n_vocab(),))

    def logprobs(self, tokens, first):
        self.llama.reset()
        self.llama.eval(tokens[: first - 1])
        return self.read(tokens[first - 1 :])


if __name__ == "__main__":
    serve(Session)

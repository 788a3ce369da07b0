"""Hugging Face Transformers as a contender, on PyTorch's CPU kernels (contender_child.py has the protocol).

The file's weights are dequantised to float32. Prompts of one length run as one batch, each token as soon as the whole batch
has the one before; nothing is shared between sequences but what a batch begins with.
"""

import copy
import os
import time

import torch
from contender_child import Latencies, serve, version_of
from transformers import AutoModelForCausalLM

texts_at_once = 16  # Logits of a whole vocabulary are kept for every token of a batch.


class Session:
    def __init__(self, setup):
        torch.set_num_threads(setup["threads"])
        torch.set_grad_enabled(False)
        folder, name = os.path.split(os.path.abspath(setup["file"]))
        model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
        self.model = model.eval()
        self.info = {"version": version_of("transformers")}

    def generate(self, requests, maxTokens, prefixTokens=0, **_):
        latencies = Latencies(len(requests))
        evaluated = sum(len(prompt) for prompt in requests)
        cache = None
        if prefixTokens:
            cache = self.read_once(requests[0][:prefixTokens], len(requests))
            evaluated -= (len(requests) - 1) * prefixTokens
        inputs = torch.tensor([prompt[prefixTokens:] for prompt in requests])
        generated = 0
        for _ in range(maxTokens):
            output = self.model(inputs, past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache = output.past_key_values
            inputs = output.logits[:, -1].argmax(-1, keepdim=True)
            generated += len(requests)
            for index in range(len(requests)):
                latencies.note(index)
        return {**latencies.to_result(), "generatedTokens": generated, "evaluatedTokens": evaluated}

    def read_once(self, tokens, copies):
        cache = self.model(torch.tensor([tokens]), use_cache=True, logits_to_keep=1).past_key_values
        cache.batch_repeat_interleave(copies)
        return cache

    def score(self, texts, questions, **_):
        """A batch of texts is read once; each question runs on a copy of its cache."""
        start, evaluated, scores = time.perf_counter(), 0, 0
        for begin in range(0, len(texts), texts_at_once):
            batch = texts[begin : begin + texts_at_once]
            cache = self.model(torch.tensor(batch), use_cache=True, logits_to_keep=1).past_key_values
            evaluated += sum(len(text) for text in batch)
            for question in questions:
                inputs = torch.tensor([question["suffix"]] * len(batch))
                copied = copy.deepcopy(cache)
                output = self.model(inputs, past_key_values=copied, use_cache=True, logits_to_keep=1)
                scores += len(output.logits[:, -1].log_softmax(-1)[:, question["label"][0]].tolist())
                evaluated += inputs.numel()
        return {"seconds": time.perf_counter() - start, "evaluatedTokens": evaluated, "scores": scores}

    def choose(self, items, **_):
        """A text is read once; its choices run as one batch on copies of its cache."""
        start, evaluated, sums = time.perf_counter(), 0, []
        for item in items:
            text, choices = item["text"], item["choices"]
            cache = self.read_once(text[:-1], len(choices))
            inputs = torch.tensor([text[-1:] + choice[:-1] for choice in choices])
            logprobs = self.model(inputs, past_key_values=cache, use_cache=True).logits.log_softmax(-1)
            sums += logprobs.gather(2, torch.tensor(choices).unsqueeze(2)).sum((1, 2)).tolist()
            evaluated += len(text) - 1 + inputs.numel()
        return {"seconds": time.perf_counter() - start, "evaluatedTokens": evaluated, "scores": len(sums)}

    def logprobs(self, tokens, first):
        logprobs = self.model(torch.tensor([tokens]), use_cache=False).logits[0].log_softmax(-1)
        return [float(logprobs[place - 1, tokens[place]]) for place in range(first, len(tokens))]


if __name__ == "__main__":
    serve(Session)

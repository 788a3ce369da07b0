"""What contenders in Python share: one JSON object per line, {id, method, params} in, {id, result | error} out."""

import json
import os
import sys
import time
import traceback


class Latencies:
    """When tokens arrive, in milliseconds."""

    def __init__(self, count):
        self.start = time.perf_counter()
        self.last = [None] * count
        self.first_token_ms = [None] * count
        self.finish_ms = [None] * count
        self.inter_token_ms = []

    def now_ms(self):
        return (time.perf_counter() - self.start) * 1000

    def note(self, index, since_ms=0, tokens=1):
        """`tokens` of request `index` have arrived, which was due `since_ms` from the start."""
        now = self.now_ms()
        if self.last[index] is None:
            self.first_token_ms[index] = now - since_ms
            tokens -= 1
        elif tokens:
            self.inter_token_ms.append(now - self.last[index])
            tokens -= 1
        self.inter_token_ms.extend([0] * tokens)  # They came together.
        self.last[index] = now
        self.finish_ms[index] = now - since_ms

    def to_result(self):
        return {
            "seconds": time.perf_counter() - self.start,
            "firstTokenMs": None if None in self.first_token_ms else self.first_token_ms,
            "interTokenMs": self.inter_token_ms or None,
            "finishMs": self.finish_ms,
        }


def version_of(package):
    from importlib.metadata import version

    return version(package)


def memory():
    """As bench/frame/process-memory.mjs; None where nobody tells."""
    try:
        with open("/proc/self/status") as status:
            values = dict(line.split(":", 1) for line in status)
    except OSError:
        import resource

        return {"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    read = lambda key: int(values[key].split()[0]) * 1024
    return {"residentBytes": read("VmRSS"), "anonymousBytes": read("RssAnon"), "peakBytes": read("VmHWM")}


def log_softmax_at(logits, token):
    """log P of one token, of a numpy row of logits."""
    import numpy as np

    row = np.asarray(logits, dtype=np.float64)
    largest = row.max()
    return float(row[token] - largest - np.log(np.exp(row - largest).sum()))


def serve(make_session):
    """Libraries print on standard output: replies keep the real one, everything else goes to standard error."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    session = None
    for line in sys.stdin:
        call = json.loads(line)
        method, params = call["method"], call["params"]
        reply = {"id": call["id"]}
        try:
            if method == "open":
                session = make_session(params["setup"])
                reply["result"] = session.info
            elif method == "run":
                workload = dict(params["workload"])
                reply["result"] = getattr(session, workload.pop("operation"))(**workload)
            elif method == "logprobs":
                reply["result"] = session.logprobs(params["tokens"], params["from"])
            elif method == "memory":
                reply["result"] = memory()
            else:
                raise ValueError(f"no method {method}")
        except Exception:
            reply["error"] = traceback.format_exc()
        print(json.dumps(reply, separators=(",", ":")), file=replies, flush=True)

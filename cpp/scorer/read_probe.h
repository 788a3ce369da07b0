#pragma once

#include "base/probe.h"
#include "base/span.h"

namespace winnow {

// `state`: [embedding_size], what enters the probe's layer. The sum is float64.
double ReadProbe(const Probe& probe, Span<const float> state);

}  // namespace winnow

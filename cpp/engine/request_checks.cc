#include "engine/request_checks.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace winnow {
namespace {

void CheckTokens(const ModelInfo& info, const std::vector<Token>& tokens) {
  const int size = info.vocabulary_size;
  auto is_unknown = [&](Token token) { return token < 0 || token >= size; };
  if (std::none_of(tokens.begin(), tokens.end(), is_unknown)) return;
  throw Error("ERR_OPTION_VALUE", "A token id is outside of the vocabulary of " + std::to_string(size) + " tokens.");
}

void CheckSaved(const ModelInfo& info, const Request& request) {
  CheckSavable(info);
  bool is_prefix = request.pin && request.parent == kNoRequest;
  if (is_prefix && static_cast<int>(request.saved->row.size()) == info.vocabulary_size) return;
  throw Error("ERR_PREFIX_FILE", "What was saved is not a prefix of this model. Make the prefix again.");
}

}  // namespace

void CheckRequest(const ModelInfo& info, const Request& request) {
  if (request.prompt.empty() && request.parent == kNoRequest) throw Error("ERR_PROMPT_EMPTY", "The prompt is empty.");
  CheckTokens(info, request.prompt);
  auto check = [&info](const Question& question) {
    CheckTokens(info, question.suffix);
    for (const auto& label : question.labels) CheckTokens(info, label);
  };
  for (const Question& question : request.questions) check(question);
  for (const Check& each : request.checks.checks) check(each.question);
  for (const Probe& probe : request.probes) {
    const bool is_read = std::count(info.hidden_layers.begin(), info.hidden_layers.end(), probe.layer) > 0;
    if (!is_read || static_cast<int>(probe.weights.size()) != info.embedding_size)
      throw Error("ERR_OPTION_VALUE", "The probe \"" + probe.name + "\" fits no hidden state that is read.");
  }
  if (request.saved != nullptr) CheckSaved(info, request);
  CheckAdapters(info, request.adapters.size());
  if (!info.can_generate)
    throw Error("ERR_UNSUPPORTED", "This model (" + info.architecture + ") does not generate text.");
  if (info.decoder_start >= 0 && (request.pin || request.parent != kNoRequest)) {
    throw Error("ERR_UNSUPPORTED",
                "This model (" + info.architecture + ") encodes the prompt of every request anew: it keeps no prefix.");
  }
  bool forks = request.pin || request.parent != kNoRequest || request.num_candidates > 1 ||
               !request.questions.empty() || !request.checks.empty();
  if (forks && !info.can_fork) {
    throw Error("ERR_UNSUPPORTED", "Sequences of this model (" + info.architecture +
                                       ") can't be forked: one candidate, no prefix and no questions.");
  }
}

void CheckTexts(const ModelInfo& info, const Request& request) {
  const int longest = info.encoding.max_text_tokens;
  if (longest == 0) throw Error("ERR_UNSUPPORTED", "This model (" + info.architecture + ") does not encode texts.");
  for (const std::vector<Token>& text : request.texts) {
    if (text.empty()) throw Error("ERR_PROMPT_EMPTY", "A text is empty.");
    if (static_cast<int>(text.size()) > longest) {
      throw Error("ERR_CONTEXT_OVERFLOW", "A text has " + std::to_string(text.size()) +
                                              " tokens; this model encodes at most " + std::to_string(longest) +
                                              ". Shorten it, or load the model with larger maxStepTokens.");
    }
    CheckTokens(info, text);
  }
}

void CheckStepFits(const ModelInfo& info, const std::vector<std::shared_ptr<const TokenTree>>& checks) {
  int rows = 1;
  int outputs = 1;
  for (const auto& tree : checks) {
    rows += static_cast<int>(tree->nodes.size());
    for (const TokenTree::Node& node : tree->nodes) outputs += node.wants_logits;
  }
  if (rows <= info.max_step_tokens && outputs <= info.max_step_outputs) return;
  throw Error("ERR_OPTION_VALUE", "The checks take " + std::to_string(rows) + " tokens and " + std::to_string(outputs) +
                                      " rows of logits of one step, which has " + std::to_string(info.max_step_tokens) +
                                      " and " + std::to_string(info.max_step_outputs) +
                                      ". Ask fewer or shorter ones, or load the model with a larger maxStepTokens.");
}

void CheckAdapters(const ModelInfo& info, size_t count) {
  if (count <= static_cast<size_t>(info.max_adapters)) return;
  if (info.max_adapters > 0) {
    throw Error("ERR_OPTION_VALUE", "A request with this model (" + info.architecture + ") has at most " +
                                        std::to_string(info.max_adapters) + " adapters, not " + std::to_string(count) +
                                        ".");
  }
  throw Error("ERR_UNSUPPORTED", "Adapters can't be used with models of architecture " + info.architecture +
                                     ": only with those that generate and have no encoder.");
}

// Layers with a window may have lost cells that others still have.
void CheckSavable(const ModelInfo& info) {
  if (!info.hidden_layers.empty())
    throw Error("ERR_UNSUPPORTED", "Prefixes can't be saved where hidden states are read: load without hiddenLayers.");
  if (info.can_fork && info.sliding_window == 0 && info.decoder_start < 0) return;
  throw Error("ERR_UNSUPPORTED", "Prefixes of this model (" + info.architecture +
                                     ") can't be saved: its layers don't keep a cell for every token.");
}

}  // namespace winnow

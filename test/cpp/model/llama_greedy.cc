// llama.cpp's own greedy text: one context, one sequence, its own loop. What the engine's text is compared with.
//
//   llama_greedy MODEL.gguf THREADS CONTEXT_SIZE MAX_STEP_TOKENS MAX_TOKENS < prompts
//
// Standard input has one prompt a line: token ids with spaces between them. Standard output has one JSON line for each:
// {"tokens": [ids, the end token left out], "gaps": [lead of each token over the second best, in logits], "ended":
// bool}
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "llama.h"

namespace {

struct Settings {
  std::string model_path;
  int threads = 0;
  int context_size = 0;
  int max_step_tokens = 0;
  int max_tokens = 0;
};

struct Choice {
  llama_token token = 0;
  float gap = 0;  // Lead over the second best, in logits.
};

struct Text {
  std::vector<Choice> choices;
  bool ended = false;  // The model ended it.
};

using Model = std::unique_ptr<llama_model, decltype(&llama_model_free)>;
using Context = std::unique_ptr<llama_context, decltype(&llama_free)>;

Model LoadModel(const Settings& settings) {
  llama_model_params params = llama_model_default_params();
  static ggml_backend_dev_t no_devices[] = {nullptr};
  params.devices = no_devices;
  params.n_gpu_layers = 0;
  Model model(llama_model_load_from_file(settings.model_path.c_str(), params), llama_model_free);
  if (!model) throw std::runtime_error("cannot load " + settings.model_path);
  return model;
}

Context MakeContext(llama_model* model, const Settings& settings) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = settings.context_size;
  params.n_batch = params.n_ubatch = settings.max_step_tokens;
  params.n_seq_max = 1;
  params.kv_unified = true;
  params.n_threads = params.n_threads_batch = settings.threads;
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
  params.type_k = params.type_v = GGML_TYPE_F16;
  Context context(llama_init_from_model(model, params), llama_free);
  if (!context) throw std::runtime_error("cannot make a context");
  return context;
}

void Decode(llama_context* context, llama_token* tokens, int num_tokens) {
  if (llama_decode(context, llama_batch_get_one(tokens, num_tokens)) != 0)
    throw std::runtime_error("llama_decode failed");
}

void Prefill(llama_context* context, std::vector<llama_token>& prompt, int max_step_tokens) {
  for (size_t begin = 0; begin < prompt.size(); begin += max_step_tokens) {
    Decode(context, prompt.data() + begin, static_cast<int>(std::min<size_t>(max_step_tokens, prompt.size() - begin)));
  }
}

// The lowest id wins a tie.
Choice PickLargest(const float* logits, int vocabulary_size) {
  const int best = static_cast<int>(std::max_element(logits, logits + vocabulary_size) - logits);
  float second = -INFINITY;
  for (int token = 0; token < vocabulary_size; ++token) {
    if (token != best) second = std::max(second, logits[token]);
  }
  return {best, logits[best] - second};
}

Text Generate(llama_context* context, std::vector<llama_token> prompt, const Settings& settings) {
  const llama_vocab* vocabulary = llama_model_get_vocab(llama_get_model(context));
  llama_memory_clear(llama_get_memory(context), true);
  Prefill(context, prompt, settings.max_step_tokens);
  Text text;
  while (true) {
    Choice choice = PickLargest(llama_get_logits_ith(context, -1), llama_vocab_n_tokens(vocabulary));
    text.ended = llama_vocab_is_eog(vocabulary, choice.token);
    if (text.ended) return text;
    text.choices.push_back(choice);
    if (static_cast<int>(text.choices.size()) == settings.max_tokens) return text;
    Decode(context, &choice.token, 1);
  }
}

void PrintText(const Text& text) {
  std::string tokens, gaps;
  for (const Choice& choice : text.choices) {
    const char* comma = tokens.empty() ? "" : ",";
    tokens += comma + std::to_string(choice.token);
    gaps += comma + std::to_string(choice.gap);
  }
  std::printf("{\"tokens\":[%s],\"gaps\":[%s],\"ended\":%s}\n", tokens.c_str(), gaps.c_str(),
              text.ended ? "true" : "false");
}

std::vector<llama_token> ParsePrompt(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<llama_token>(stream), std::istream_iterator<llama_token>()};
}

void RunAll(const Settings& settings) {
  Model model = LoadModel(settings);
  Context context = MakeContext(model.get(), settings);
  for (std::string line; std::getline(std::cin, line);) PrintText(Generate(context.get(), ParsePrompt(line), settings));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) {
    std::fprintf(stderr, "llama_greedy MODEL.gguf THREADS CONTEXT_SIZE MAX_STEP_TOKENS MAX_TOKENS < prompts\n");
    return 2;
  }
  try {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    RunAll({arguments[1], std::atoi(arguments[2]), std::atoi(arguments[3]), std::atoi(arguments[4]),
            std::atoi(arguments[5])});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "llama_greedy: %s\n", error.what());
    return 1;
  }
}

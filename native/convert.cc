#include "convert.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "js_error.h"

namespace winnow {
namespace {

double NumberFrom(const Napi::Object& object, const char* key) {
  return object.Get(key).As<Napi::Number>().DoubleValue();
}
int IntFrom(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::Number>().Int32Value(); }
float FloatFrom(const Napi::Object& object, const char* key) { return static_cast<float>(NumberFrom(object, key)); }
bool BoolFrom(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::Boolean>().Value(); }
std::string StringFrom(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::String>(); }

template <class Convert>
auto ListFrom(const Napi::Object& object, const char* key, Convert convert) {
  Napi::Array array = object.Get(key).As<Napi::Array>();
  std::vector<decltype(convert(Napi::Value()))> values;
  for (uint32_t i = 0; i < array.Length(); ++i) values.push_back(convert(array.Get(i)));
  return values;
}

std::vector<std::string> StringsFrom(const Napi::Object& object, const char* key) {
  return ListFrom(object, key, [](Napi::Value value) { return value.As<Napi::String>().Utf8Value(); });
}

Question QuestionFrom(Napi::Value value) {
  Napi::Object object = value.As<Napi::Object>();
  return {TokensFrom(object.Get("suffix")), ListFrom(object, "labels", TokensFrom),
          object.Has("topLogprobs") ? IntFrom(object, "topLogprobs") : 0};
}

std::vector<double> DoublesFrom(Napi::Value value) {
  Napi::Float64Array array = value.As<Napi::Float64Array>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

Check CheckFrom(Napi::Value value) {
  Napi::Object object = value.As<Napi::Object>();
  Check check;
  check.question = QuestionFrom(value);
  check.scales = DoublesFrom(object.Get("scales"));
  check.offsets = DoublesFrom(object.Get("offsets"));
  check.weights = DoublesFrom(object.Get("weights"));
  check.least = NumberFrom(object, "least");
  check.most = NumberFrom(object, "most");
  return check;
}

CheckPlan ChecksFrom(Napi::Object object) {
  CheckPlan plan;
  plan.checks = ListFrom(object, "checks", CheckFrom);
  plan.every = IntFrom(object, "every");
  plan.after = IntFrom(object, "after");
  plan.max_refills = IntFrom(object, "refills");
  return plan;
}

std::vector<float> FloatsFrom(Napi::Value value) {
  Napi::Float32Array array = value.As<Napi::Float32Array>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

void AddDecoding(Napi::Object object, Request* request) {
  const std::vector<Token> sizes = TokensFrom(object.Get("ngramSizes"));
  const std::vector<float> penalties = FloatsFrom(object.Get("ngramPenalties"));
  for (size_t i = 0; i < sizes.size(); ++i) request->sampling.ngram_penalties.push_back({sizes[i], penalties[i]});
  request->sampling.ngram_context = BoolFrom(object, "ngramContext");
  request->sampling.nucleus_decay = FloatFrom(object, "nucleusDecay");
  request->sampling.nucleus_floor = FloatFrom(object, "nucleusFloor");
  const std::vector<std::string> texts = StringsFrom(object, "biasTexts");
  const std::vector<float> values = FloatsFrom(object.Get("biasTextValues"));
  for (size_t i = 0; i < texts.size(); ++i) request->text_bias.emplace_back(texts[i], values[i]);
}

SamplingOptions SamplingFrom(const Napi::Object& object) {
  SamplingOptions sampling;
  sampling.temperature = FloatFrom(object, "temperature");
  sampling.top_k = IntFrom(object, "topK");
  sampling.top_p = FloatFrom(object, "topP");
  sampling.min_p = FloatFrom(object, "minP");
  sampling.repetition_penalty = FloatFrom(object, "repetitionPenalty");
  sampling.frequency_penalty = FloatFrom(object, "frequencyPenalty");
  sampling.presence_penalty = FloatFrom(object, "presencePenalty");
  sampling.penalty_window = IntFrom(object, "penaltyWindow");
  std::vector<Token> tokens = TokensFrom(object.Get("biasTokens"));
  Napi::Float32Array values = object.Get("biasValues").As<Napi::Float32Array>();
  for (size_t i = 0; i < tokens.size(); ++i) sampling.logit_bias.emplace_back(tokens[i], values[i]);
  sampling.seed = static_cast<uint64_t>(NumberFrom(object, "seed"));
  sampling.logprobs = BoolFrom(object, "logprobs");
  sampling.top_logprobs = IntFrom(object, "topLogprobs");
  return sampling;
}

// A plain object, written field by field.
class ObjectWriter {
 public:
  explicit ObjectWriter(Napi::Env env) : env_(env), object_(Napi::Object::New(env)) {}
  template <class Number, class = std::enable_if_t<std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>>>
  ObjectWriter& Put(const char* key, Number value) {
    return Set(key, Napi::Number::New(env_, static_cast<double>(value)));
  }
  ObjectWriter& Put(const char* key, bool value) { return Set(key, Napi::Boolean::New(env_, value)); }
  ObjectWriter& Put(const char* key, const char* value) { return Set(key, Napi::String::New(env_, value)); }
  ObjectWriter& Put(const char* key, const std::string& value) { return Set(key, Napi::String::New(env_, value)); }
  ObjectWriter& Set(const char* key, Napi::Value value) {
    object_.Set(key, value);
    return *this;
  }
  Napi::Object object() const { return object_; }

 private:
  Napi::Env env_;
  Napi::Object object_;
};

const char* NameOf(FinishReason reason) {
  switch (reason) {
    case FinishReason::kEos:
      return "eos";
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kRejected:
      return "rejected";
    case FinishReason::kLength:
      break;
  }
  return "length";
}

template <class List, class Convert>
Napi::Array ArrayOf(Napi::Env env, const List& list, Convert convert) {
  Napi::Array array = Napi::Array::New(env, list.size());
  uint32_t i = 0;
  for (const auto& value : list) array.Set(i++, convert(value));
  return array;
}

Napi::Float32Array FloatsToJs(Napi::Env env, const std::vector<float>& values) {
  Napi::Float32Array array = Napi::Float32Array::New(env, values.size());
  if (!values.empty()) std::memcpy(array.Data(), values.data(), values.size() * sizeof(float));
  return array;
}

const char* NameOf(Pooling pooling) {
  return pooling == Pooling::kMean ? "mean" : pooling == Pooling::kCls ? "cls" : "last";
}

Pooling PoolingFrom(const std::string& name) {
  return name == "mean" ? Pooling::kMean : name == "cls" ? Pooling::kCls : Pooling::kLast;
}

class EventWriter {
 public:
  explicit EventWriter(Napi::Env env) : env_(env) {}

  Napi::Object operator()(const TokenEvent& event) const {
    ObjectWriter writer = Begin("token", event.request, event.candidate);
    writer.Put("token", event.token).Put("text", event.text);
    if (event.has_logprob) writer.Put("logprob", event.logprob);
    if (!event.top.empty())
      writer.Set("topLogprobs", ArrayOf(env_, event.top, [this](const TopToken& top) {
                   return ObjectWriter(env_)
                       .Put("token", top.token)
                       .Put("text", top.text)
                       .Put("logprob", top.logprob)
                       .object();
                 }));
    if (!event.probes.empty()) {
      ObjectWriter probes(env_);
      for (const ProbeValue& probe : event.probes) probes.Put(probe.name.c_str(), probe.value);
      writer.Set("probes", probes.object());
    }
    return writer.object();
  }

  Napi::Object operator()(const CandidateEvent& event) const {
    ObjectWriter writer = Begin("candidate", event.request, event.candidate);
    writer.Put("reason", NameOf(event.reason)).Put("tokens", event.num_tokens);
    if (!event.stop.empty()) writer.Put("stopString", event.stop);
    return writer.object();
  }

  Napi::Object operator()(const CheckEvent& event) const {
    Napi::Float64Array values = Napi::Float64Array::New(env_, event.values.size());
    std::copy(event.values.begin(), event.values.end(), values.Data());
    ObjectWriter writer = Begin("check", event.request, event.candidate);
    return writer.Put("tokens", event.num_tokens).Set("values", values).Put("failed", event.failed).object();
  }

  Napi::Object operator()(const ScoreEvent& event) const {
    ObjectWriter writer = Begin("score", event.request, event.candidate);
    writer.Put("question", event.question);
    writer.Set("labels", ArrayOf(env_, event.answer.labels, [this](const LabelScore& label) { return Label(label); }));
    return writer.object();
  }

  Napi::Object operator()(const VectorEvent& event) const {
    return ObjectWriter(env_)
        .Put("type", "vector")
        .Put("request", event.request)
        .Put("text", event.text)
        .Set("values", FloatsToJs(env_, event.values))
        .object();
  }

  Napi::Object operator()(const FinishEvent& event) const {
    const Usage& usage = event.usage;
    const RequestTimings& timings = event.timings;
    return ObjectWriter(env_)
        .Put("type", "finish")
        .Put("request", event.request)
        .Set("usage", ObjectWriter(env_)
                          .Put("promptTokens", usage.prompt_tokens)
                          .Put("cachedTokens", usage.cached_tokens)
                          .Put("evaluatedPromptTokens", usage.evaluated_prompt_tokens)
                          .Put("questionTokens", usage.question_tokens)
                          .Put("generatedTokens", usage.generated_tokens)
                          .Put("recomputedTokens", usage.recomputed_tokens)
                          .object())
        .Set("timings", ObjectWriter(env_)
                            .Put("queueMs", timings.queue)
                            .Put("firstTokenMs", timings.first_token)
                            .Put("totalMs", timings.total)
                            .Put("prefillMs", timings.prefill)
                            .Put("generateMs", timings.generate)
                            .Put("scoreMs", timings.score)
                            .object())
        .object();
  }

  Napi::Object operator()(const ErrorEvent& event) const {
    return ObjectWriter(env_)
        .Put("type", "error")
        .Put("request", event.request)
        .Put("code", event.code)
        .Put("message", event.message)
        .Set("facts", FactsToJs(env_, event.facts))
        .object();
  }

 private:
  ObjectWriter Begin(const char* type, RequestId request, int candidate) const {
    ObjectWriter writer(env_);
    writer.Put("type", type).Put("request", request).Put("candidate", candidate);
    return writer;
  }

  Napi::Object Label(const LabelScore& label) const {
    Napi::Float64Array logprobs = Napi::Float64Array::New(env_, label.token_logprobs.size());
    for (size_t i = 0; i < label.token_logprobs.size(); ++i) logprobs[i] = label.token_logprobs[i];
    ObjectWriter writer(env_);
    writer.Put("logprob", label.logprob).Set("tokenLogprobs", logprobs).Put("isGreedy", label.is_greedy);
    if (!label.top.empty()) PutTop(label.top, &writer);
    return writer.object();
  }

  void PutTop(const std::vector<LikelyToken>& top, ObjectWriter* writer) const {
    Napi::Int32Array tokens = Napi::Int32Array::New(env_, top.size());
    Napi::Float64Array logprobs = Napi::Float64Array::New(env_, top.size());
    for (size_t i = 0; i < top.size(); ++i) {
      tokens[i] = top[i].token;
      logprobs[i] = top[i].logprob;
    }
    writer->Set("topTokens", tokens).Set("topLogprobs", logprobs);
  }

  Napi::Env env_;
};

}  // namespace

ModelOptions ModelOptionsFrom(Napi::Object object) {
  ModelOptions options;
  options.paths = StringsFrom(object, "paths");
  options.context_size = IntFrom(object, "contextSize");
  options.cache_tokens = IntFrom(object, "cacheTokens");
  options.max_sequences = IntFrom(object, "maxSequences");
  options.max_step_tokens = IntFrom(object, "maxStepTokens");
  options.threads = IntFrom(object, "threads");
  options.gpu_layers = IntFrom(object, "gpuLayers");
  options.cache_type = StringFrom(object, "cacheType");
  options.kernels = StringFrom(object, "kernels");
  options.hidden_layers =
      ListFrom(object, "hiddenLayers", [](Napi::Value value) { return value.As<Napi::Number>().Int32Value(); });
  return options;
}

EngineOptions EngineOptionsFrom(Napi::Object object) {
  EngineOptions options;
  options.max_queue = IntFrom(object, "maxQueue");
  options.target_inter_token_ms = NumberFrom(object, "targetInterTokenMs");
  return options;
}

static Probe ProbeFrom(Napi::Value value) {
  Napi::Object object = value.As<Napi::Object>();
  Napi::Float32Array weights = object.Get("weights").As<Napi::Float32Array>();
  return {StringFrom(object, "name"),
          IntFrom(object, "layer"),
          {weights.Data(), weights.Data() + weights.ElementLength()},
          NumberFrom(object, "bias")};
}

static RequestAdapter AdapterFrom(Napi::Value value) {
  Napi::Object object = value.As<Napi::Object>();
  return {StringFrom(object, "path"), FloatFrom(object, "scale")};
}

static void EncodeFrom(Napi::Object object, Request* request) {
  request->texts = ListFrom(object, "texts", TokensFrom);
  request->pooling = PoolingFrom(StringFrom(object, "pooling"));
  request->normalize = BoolFrom(object, "normalize");
}

Request RequestFrom(Napi::Object object) {
  Request request;
  request.prompt = TokensFrom(object.Get("prompt"));
  request.parent = static_cast<RequestId>(NumberFrom(object, "parent"));
  request.pin = BoolFrom(object, "pin");
  request.num_candidates = IntFrom(object, "candidates");
  request.max_tokens = IntFrom(object, "maxTokens");
  request.min_tokens = IntFrom(object, "minTokens");
  request.ignore_eos = BoolFrom(object, "ignoreEos");
  request.sampling = SamplingFrom(object);
  if (object.Has("beam")) {
    Napi::Object beam = object.Get("beam").As<Napi::Object>();
    request.beam.num_beams = request.num_candidates;
    request.beam.length_penalty = FloatFrom(beam, "lengthPenalty");
    request.beam.early_stopping = BoolFrom(beam, "earlyStopping");
  }
  if (object.Has("decoding")) AddDecoding(object.Get("decoding").As<Napi::Object>(), &request);
  request.stops = StringsFrom(object, "stop");
  request.stop_tokens = TokensFrom(object.Get("stopTokens"));
  request.questions = ListFrom(object, "questions", QuestionFrom);
  if (object.Has("checks")) request.checks = ChecksFrom(object.Get("checks").As<Napi::Object>());
  request.timeout_ms = static_cast<int64_t>(NumberFrom(object, "timeoutMs"));
  request.priority = NumberFrom(object, "priority");
  request.space = StringFrom(object, "namespace");
  if (object.Has("adapters")) request.adapters = ListFrom(object, "adapters", AdapterFrom);
  if (object.Has("grammar")) request.grammar = StringFrom(object, "grammar");
  if (object.Has("probes")) request.probes = ListFrom(object, "probes", ProbeFrom);
  if (object.Has("encode")) EncodeFrom(object.Get("encode").As<Napi::Object>(), &request);
  if (object.Has("saved")) request.saved = SavedFrom(object.Get("saved").As<Napi::Object>());
  return request;
}

std::shared_ptr<const SavedPrefix> SavedFrom(Napi::Object object) {
  auto state = object.Get("state").As<Napi::Uint8Array>();
  auto row = object.Get("row").As<Napi::Float32Array>();
  auto saved = std::make_shared<SavedPrefix>();
  saved->state.assign(state.Data(), state.Data() + state.ElementLength());
  saved->row.assign(row.Data(), row.Data() + row.ElementLength());
  return saved;
}

Napi::Value ToJs(Napi::Env env, const SavedPrefix& saved) {
  auto state = Napi::Uint8Array::New(env, saved.state.size());
  std::copy(saved.state.begin(), saved.state.end(), state.Data());
  auto row = Napi::Float32Array::New(env, saved.row.size());
  std::copy(saved.row.begin(), saved.row.end(), row.Data());
  Napi::Object object = Napi::Object::New(env);
  object.Set("state", state);
  object.Set("row", row);
  return object;
}

std::vector<Token> TokensFrom(Napi::Value value) {
  Napi::Int32Array array = value.As<Napi::Int32Array>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

Napi::Value ToJs(Napi::Env env, const ModelInfo& info) {
  return ObjectWriter(env)
      .Put("architecture", info.architecture)
      .Put("description", info.description)
      .Put("name", info.name)
      .Put("chatTemplate", info.chat_template)
      .Put("kernels", info.kernels)
      .Put("device", info.device)
      .Put("gpuLayers", info.gpu_layers)
      .Put("parameters", info.num_parameters)
      .Put("sizeBytes", info.size_bytes)
      .Put("vocabularySize", info.vocabulary_size)
      .Put("embeddingSize", info.embedding_size)
      .Put("layers", info.num_layers)
      .Put("heads", info.num_heads)
      .Put("kvHeads", info.num_kv_heads)
      .Put("trainedContextSize", info.trained_context_size)
      .Put("contextSize", info.context_size)
      .Put("cacheTokens", info.cache_tokens)
      .Put("maxSequences", info.max_sequences)
      .Put("maxStepTokens", info.max_step_tokens)
      .Put("threads", info.threads)
      .Put("cacheType", info.cache_type)
      .Put("bosToken", info.bos)
      .Put("eosToken", info.eos)
      .Put("bosText", info.bos_text)
      .Put("eosText", info.eos_text)
      .Put("addsBos", info.adds_bos)
      .Put("canFork", info.can_fork)
      .Put("canGenerate", info.can_generate)
      .Put("batchInvariant", info.batch_invariant)
      .Put("maxTextTokens", info.encoding.max_text_tokens)
      .Put("pooling", NameOf(info.encoding.pooling))
      .Put("vectorSize", info.encoding.vector_size)
      .Put("pairSeparator", info.encoding.pair_separator)
      .Put("rerankTemplate", info.encoding.rerank_template)
      .Put("hasSegments", info.encoding.has_segments)
      .Put("classes", info.encoding.num_classes)
      .Set("classNames", ArrayOf(env, info.encoding.class_names,
                                 [env](const std::string& name) { return Napi::String::New(env, name); }))
      .Put("maxAdapters", info.max_adapters)
      .Put("decoderStart", info.decoder_start)
      .Set("hiddenLayers", ArrayOf(env, info.hidden_layers, [env](int layer) { return Napi::Number::New(env, layer); }))
      .Set("endTokens", ArrayOf(env, info.end_tokens, [env](Token token) { return Napi::Number::New(env, token); }))
      .object();
}

namespace {

Napi::Object LatencyToJs(Napi::Env env, const LatencyStats& stats) {
  return ObjectWriter(env)
      .Put("count", stats.count)
      .Put("mean", stats.mean)
      .Put("p50", stats.p50)
      .Put("p90", stats.p90)
      .Put("p99", stats.p99)
      .Put("max", stats.max)
      .object();
}

Napi::Object TimesToJs(Napi::Env env, const PhaseTimes& times) {
  return ObjectWriter(env)
      .Put("prefill", times.prefill)
      .Put("generate", times.generate)
      .Put("score", times.score)
      .Put("plan", times.plan)
      .object();
}

}  // namespace

Napi::Value ToJs(Napi::Env env, const EngineStats& stats) {
  return ObjectWriter(env)
      .Put("running", stats.running)
      .Put("waiting", stats.waiting)
      .Put("usedCells", stats.used_cells)
      .Put("pinnedCells", stats.pinned_cells)
      .Put("cachedCells", stats.idle_cells)
      .Put("totalCells", stats.total_cells)
      .Put("usedSequences", stats.used_sequences)
      .Put("cachedSequences", stats.idle_sequences)
      .Put("totalSequences", stats.total_sequences)
      .Put("steps", stats.steps)
      .Put("evaluatedTokens", stats.evaluated_tokens)
      .Put("generatedTokens", stats.generated_tokens)
      .Put("prefixHitTokens", stats.prefix_hit_tokens)
      .Put("prefixMissTokens", stats.prefix_miss_tokens)
      .Put("submittedRequests", stats.submitted_requests)
      .Put("callbacks", stats.callbacks)
      .Put("preemptions", stats.preemptions)
      .Put("heldSteps", stats.held_steps)
      .Put("recomputedTokens", stats.recomputed_tokens)
      .Set("batchSizes", ArrayOf(env, stats.batch_sizes,
                                 [env](int64_t steps) { return Napi::Number::New(env, static_cast<double>(steps)); }))
      .Set("firstTokenMs", LatencyToJs(env, stats.first_token))
      .Set("interTokenMs", LatencyToJs(env, stats.inter_token))
      .Set("timeMs", TimesToJs(env, stats.times))
      .object();
}

Napi::Value ToJs(Napi::Env env, const Event& event) { return std::visit(EventWriter(env), event); }

Napi::Value ToJs(Napi::Env env, Span<const Token> tokens) {
  Napi::Int32Array array = Napi::Int32Array::New(env, tokens.size());
  if (!tokens.empty()) std::memcpy(array.Data(), tokens.data(), tokens.size() * sizeof(Token));
  return array;
}

const char* LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warn";
    case LogLevel::kError:
      break;
  }
  return "error";
}

}  // namespace winnow

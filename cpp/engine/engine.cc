#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "engine/adapter_shelf.h"
#include "engine/beam_session.h"
#include "engine/command_queue.h"
#include "engine/meters.h"
#include "engine/registry.h"
#include "engine/request_checks.h"
#include "engine/session.h"
#include "engine/text_encoding.h"
#include "grammar/grammar.h"
#include "grammar/token_table.h"
#include "scheduler/encode_queue.h"
#include "scheduler/scheduler.h"
#include "scorer/read_probe.h"

namespace winnow {
namespace {

using Clock = std::chrono::steady_clock;

double Milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

TimeMs ToMs(Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Clock::time_point FromMs(TimeMs time) {
  return time == kNever ? Clock::time_point::max() : Clock::time_point(std::chrono::milliseconds(time));
}

// The exception that is being caught, as the event that tells it.
ErrorEvent CaughtError(RequestId request) {
  try {
    throw;
  } catch (const Error& error) {
    return {request, error.code(), error.what(), error.facts()};
  } catch (const std::exception& error) {
    return {request, "ERR_ENGINE", error.what(), {}};
  }
}

// A candidate, or the prompt, as it is answered.
struct Answering {
  Session session;
  Clock::time_point last_token{};  // The epoch = there was none.
};

// What one request is made of, from Submit to its last event.
struct Submission {
  Engine::ClientId client = 0;
  Request request;
  Session::Asked asked;
  std::map<int, Answering> answers;      // By candidate; -1 = the prompt.
  std::unique_ptr<BeamSession> beams;    // In their place, of a beam search.
  std::optional<TextEncoding> encoding;  // Where texts are encoded.
  Clock::time_point submitted;
  RequestTimings timings;
  bool has_begun = false;
};

struct Client {
  Engine::Emit emit;
  std::set<RequestId> requests;
  std::set<RequestId> prefixes;
  std::vector<Event> events;                   // Of the step at hand.
  std::vector<std::function<void()>> closing;  // Wait for the last request.
};

SchedulerOptions SchedulerOptionsOf(const ModelInfo& info, const EngineOptions& engine_options) {
  SchedulerOptions options;
  options.target_inter_token_ms = engine_options.target_inter_token_ms;
  options.max_step_tokens = info.max_step_tokens;
  options.max_step_outputs = info.max_step_outputs;
  options.runs_alone = info.decoder_start >= 0;
  options.cache.num_cells = info.cache_tokens;
  options.cache.max_sequences = info.max_sequences;
  options.cache.can_fork = info.can_fork;
  options.cache.sliding_window = info.sliding_window;
  options.cache.max_idle_cells = info.max_idle_cells;
  return options;
}

EncodeOptions EncodeOptionsOf(const EncodingInfo& info) {
  return {info.max_step_tokens, info.max_step_texts, info.cuts_texts};
}

std::string TimeoutMessage(int64_t timeout_ms) {
  return "Not all texts were encoded when the timeoutMs of " + std::to_string(timeout_ms) +
         " were over. Allow the request more time, or ask for less at once.";
}

}  // namespace

class Engine::Impl {
 public:
  Impl(std::unique_ptr<Backend> backend, const EngineOptions& options)
      : options_(options),
        backend_(std::move(backend)),
        adapters_(backend_.get()),
        scheduler_(SchedulerOptionsOf(backend_->info(), options)),
        encodes_(EncodeOptionsOf(backend_->info().encoding)) {
    UpdateStats();
    thread_ = std::thread([this] { Loop(); });
  }

  ~Impl() { Stop(); }

  void Stop() {
    if (!thread_.joinable()) return;
    backend_->Abort();
    queue_.Push([this] { is_stopping_ = true; });
    thread_.join();
  }

  const Backend& backend() const { return *backend_; }

  ClientId OpenClient(Emit emit) {
    ClientId id = ++last_client_;
    queue_.Push([this, id, emit = std::move(emit)]() mutable { clients_[id].emit = std::move(emit); });
    return id;
  }

  void CloseClient(ClientId id, bool drain, std::function<void()> done) {
    queue_.Push([this, id, drain, done = std::move(done)]() mutable {
      auto client = clients_.find(id);
      if (client == clients_.end()) return done();
      client->second.closing.push_back(std::move(done));
      if (!drain) {
        for (RequestId request : std::set<RequestId>(client->second.requests)) Close(request);
      }
    });
  }

  RequestId Submit(ClientId client, Request request) {
    EnterQueue();
    RequestId id = ++last_request_;
    auto open = std::make_shared<Submission>();
    open->client = client;
    open->request = std::move(request);
    open->submitted = Clock::now();
    queue_.Push([this, id, open = std::move(open)] { Add(id, std::move(*open)); });
    return id;
  }

  void Cancel(RequestId id) {
    queue_.Push([this, id] { Close(id); });
  }

  void Release(RequestId id) {
    queue_.Push([this, id] { ReleasePrefix(id); });
  }

  void Save(RequestId id, SaveDone done) {
    queue_.Push([this, id, done = std::move(done)] { done(SaveNow(id)); });
  }

  void LoadAdapter(const std::string& path, AdapterDone done) {
    queue_.Push([this, path, done = std::move(done)] { done(Try([&] { LoadNow(path); })); });
  }

  void UnloadAdapter(const std::string& path, AdapterDone done) {
    queue_.Push([this, path, done = std::move(done)] { done(Try([&] { UnloadNow(path); })); });
  }

  EngineStats stats() const {
    std::lock_guard<std::mutex> lock(stats_mutex_);
    EngineStats stats = stats_;
    stats.submitted_requests = last_request_;
    stats.callbacks = num_callbacks_;
    return stats;
  }

 private:
  void Loop() {
    while (!is_stopping_) {
      for (CommandQueue::Command& command : queue_.Drain(WakeTime())) command();
      if (is_stopping_) break;
      if (!scheduler_.is_idle()) Step();
      if (!encodes_.is_idle()) EncodeStep();
      UpdateStats();  // Before the events: who sees a request end sees what it gave back.
      Emit();
      FinishClosing();
    }
  }

  // Without requests, nothing is due; where none of them can do anything, the next deadline is.
  Clock::time_point WakeTime() const {
    if (!encodes_.is_idle()) return Clock::time_point::min();
    if (scheduler_.is_idle()) return Clock::time_point::max();
    return is_stalled_ ? FromMs(scheduler_.next_deadline()) : Clock::time_point::min();
  }

  void Step() {
    Clock::time_point now = Clock::now();
    StepPlan plan = scheduler_.Plan(ToMs(now));
    is_stalled_ = plan.empty();
    Clock::time_point begin = Clock::now();
    times_.plan += Milliseconds(begin - now);
    try {
      Logits logits =
          plan.rows.empty() && plan.cache_ops.empty() && plan.source.empty() ? Logits() : backend_->Run(plan);
      Restore(plan);
      std::vector<SampleOutcome> outcomes = Advance(plan, logits);
      Clock::time_point end = Clock::now();
      Charge(plan, begin, end);
      scheduler_.Measure(plan, Milliseconds(end - now));
      scheduler_.Commit(plan, outcomes);
    } catch (const Error& error) {
      scheduler_.Fail(plan, error.code(), error.what());
    } catch (const std::exception& error) {
      scheduler_.Fail(plan, "ERR_ENGINE", error.what());
    }
    FinishRequests();
    if (++num_plans_ == 1) StopEnginesAtExit();  // The first step may have made more statics of ggml.
  }

  void EncodeStep() {
    Clock::time_point begin = Clock::now();
    ExpireEncodes(ToMs(begin));
    EncodePlan plan = encodes_.Plan();
    if (plan.empty()) return;
    try {
      ReadVectors(plan, backend_->Encode(plan));
      ChargeEncodes(plan, begin, Clock::now());
      for (RequestId id : encodes_.Commit(plan)) FinishEncode(id);
    } catch (const Error& error) {
      FailEncodes(plan, error.code(), error.what());
    } catch (const std::exception& error) {
      FailEncodes(plan, "ERR_ENGINE", error.what());
    }
    if (++num_plans_ == 1) StopEnginesAtExit();
  }

  void ReadVectors(const EncodePlan& plan, const Encoded& encoded) {
    const bool classifies = backend_->info().encoding.num_classes > 0;
    for (size_t i = 0; i < plan.items.size(); ++i) {
      const EncodeItem& item = plan.items[i];
      Submission& open = requests_.at(item.request);
      std::vector<Event>* events = &clients_.at(open.client).events;
      if (classifies) {
        open.encoding->ReadClasses(item, encoded.vectors[i], events);
      } else {
        Span<const Span<const float>> states(encoded.vectors);
        open.encoding->Read(item, states.Subspan(item.first_row, item.num_rows), events);
      }
    }
  }

  // Who can't be restored fails alone.
  void Restore(const StepPlan& plan) {
    for (const PlanRestore& restore : plan.restores) {
      const SavedPrefix& saved = *requests_.at(restore.request).request.saved;
      try {
        backend_->RestoreSequence(restore.sequence, restore.length, saved.state);
        saved_rows_[restore.request] = saved.row;
      } catch (const Error& error) {
        scheduler_.FailRestore(restore, error.code(), error.what());
      }
    }
  }

  void ChargeEncodes(const EncodePlan& plan, Clock::time_point begin, Clock::time_point end) {
    const auto rows = static_cast<double>(plan.tokens.size());
    const double milliseconds = Milliseconds(end - begin);
    for (const EncodeItem& item : plan.items) {
      Submission& open = requests_.at(item.request);
      Begin(open, begin);
      open.timings.prefill += milliseconds * item.num_rows / rows;
    }
    times_.prefill += milliseconds;
    ++num_steps_;
    batch_sizes_.Record(static_cast<int>(plan.tokens.size()));
    num_evaluated_tokens_ += static_cast<int64_t>(plan.tokens.size());
  }

  void FinishEncode(RequestId id) {
    FinishedRequest finished;
    finished.id = id;
    Submission& open = requests_.at(id);
    for (const auto& text : open.request.texts) finished.usage.prompt_tokens += static_cast<int>(text.size());
    finished.usage.evaluated_prompt_tokens = finished.usage.prompt_tokens;
    clients_.at(open.client).events.push_back(FinishOf(finished, open));
    Forget(id);
  }

  void FailEncodes(const EncodePlan& plan, const std::string& code, const std::string& message) {
    std::set<RequestId> served;
    for (const EncodeItem& item : plan.items) served.insert(item.request);
    for (RequestId id : served) FailEncode(id, code, message, {});
  }

  void ExpireEncodes(TimeMs now) {
    for (RequestId id : encodes_.TakeExpired(now)) {
      const int64_t timeout_ms = requests_.at(id).request.timeout_ms;
      FailEncode(id, "ERR_TIMEOUT", TimeoutMessage(timeout_ms),
                 {{"timeoutMs", static_cast<double>(timeout_ms)}, {"generatedTokens", 0}});
    }
  }

  void FailEncode(RequestId id, const std::string& code, const std::string& message, const ErrorFacts& facts) {
    encodes_.Remove(id);
    clients_.at(requests_.at(id).client).events.push_back(ErrorEvent{id, code, message, facts});
    Forget(id);
  }

  Engine::SaveOutcome SaveNow(RequestId id) {
    try {
      return StateOf(id);
    } catch (const std::exception&) {
      return CaughtError(id);
    }
  }

  std::shared_ptr<const SavedPrefix> StateOf(RequestId id) {
    SequenceId sequence = scheduler_.SequenceOf(id);
    if (sequence == kNoSequence)
      throw Error("ERR_PREFIX_CLOSED", "The prefix is closed. Make a new one with prefill().");
    CheckSavable(backend_->info());
    auto saved = std::make_shared<SavedPrefix>();
    saved->state = backend_->SaveSequence(sequence, scheduler_.PrefixLength(id));
    saved->row = saved_rows_.at(id);
    return saved;
  }

  template <class Work>
  static std::optional<ErrorEvent> Try(Work work) {
    try {
      work();
      return std::nullopt;
    } catch (const std::exception&) {
      return CaughtError(kNoRequest);
    }
  }

  void LoadNow(const std::string& path) {
    CheckAdapters(backend_->info(), 1);
    adapters_.Load(path);
  }

  void UnloadNow(const std::string& path) {
    const AdapterId adapter = adapters_.Find(path);
    if (adapter == kNoAdapter) return;
    if (scheduler_.UsesAdapter(adapter)) {
      throw Error("ERR_ADAPTER_IN_USE", "Adapter " + path +
                                            " is used by open requests or prefixes. Wait for their end, and close the "
                                            "prefixes that were made with it.");
    }
    adapters_.Unload(path);
  }

  // One outcome per read of the plan.
  std::vector<SampleOutcome> Advance(const StepPlan& plan, const Logits& logits) {
    std::vector<SampleOutcome> outcomes(plan.reads.size());
    for (size_t i = 0; i < plan.reads.size(); ++i) {
      const PlanRead& read = plan.reads[i];
      Span<const float> row = read.row >= 0 ? logits.Row(read.row) : Span<const float>(saved_rows_.at(read.saved_by));
      Submission& open = requests_.at(read.request);
      std::vector<Event>* events = &clients_.at(open.client).events;
      if (read.kind == PlanRead::Kind::kSave) {
        saved_rows_[read.request].assign(row.begin(), row.end());
        SaveStates(read, logits);
      } else if (read.kind == PlanRead::Kind::kCheck) {
        AnswerOf(read, open).session.Check(read.question, read.node, row, events);
      } else if (read.kind == PlanRead::Kind::kScore) {
        AnswerOf(read, open).session.Score(read.question, read.node, row, events);
      } else if (open.request.beam.num_beams > 0) {
        outcomes[i] = BeamsOf(read.request, open).Read(read.candidate, row, events);
      } else {
        const size_t first = events->size();
        outcomes[i] = AnswerOf(read, open).session.Sample(row, events);
        if (!open.request.probes.empty()) ReadProbes(open.request, read, logits, Span<Event>(*events).Subspan(first));
      }
    }
    return outcomes;
  }

  BeamSession& BeamsOf(RequestId id, Submission& open) {
    if (!open.beams) {
      open.beams = std::make_unique<BeamSession>(*backend_, id, open.request, scheduler_.PromptOf(id));
    }
    return *open.beams;
  }

  // A pinned prefix keeps the states of its last row beside its logits.
  void SaveStates(const PlanRead& read, const Logits& logits) {
    std::vector<std::vector<float>> states;
    for (size_t layer = 0; layer < backend_->info().hidden_layers.size(); ++layer) {
      Span<const float> state = StateOf(static_cast<int>(layer), read, logits);
      states.emplace_back(state.begin(), state.end());
    }
    if (!states.empty()) saved_states_[read.request] = std::move(states);
  }

  Span<const float> StateOf(int layer, const PlanRead& read, const Logits& logits) const {
    if (read.row >= 0) return logits.State(layer, read.row);
    return Span<const float>(saved_states_.at(read.saved_by)[layer]);
  }

  void ReadProbes(const Request& request, const PlanRead& read, const Logits& logits, Span<Event> events) const {
    const std::vector<int>& layers = backend_->info().hidden_layers;
    for (Event& event : events) {
      auto* token = std::get_if<TokenEvent>(&event);
      if (token == nullptr) continue;
      for (const Probe& probe : request.probes) {
        const auto layer = static_cast<int>(std::find(layers.begin(), layers.end(), probe.layer) - layers.begin());
        token->probes.push_back({probe.name, ReadProbe(probe, StateOf(layer, read, logits))});
      }
    }
  }

  void ForgetReleased() {
    for (RequestId prefix : scheduler_.TakeReleasedPrefixes()) {
      saved_rows_.erase(prefix);
      saved_states_.erase(prefix);
    }
  }

  Answering& AnswerOf(const PlanRead& read, Submission& open) {
    auto found = open.answers.find(read.candidate);
    if (found != open.answers.end()) return found->second;
    Span<const Token> prompt = scheduler_.PromptOf(read.request);
    Answering answer{Session(*backend_, read.request, read.candidate, open.request, open.asked, prompt)};
    return open.answers.emplace(read.candidate, std::move(answer)).first->second;
  }

  // Shares the time of a step among its requests, by rows.
  void Charge(const StepPlan& plan, Clock::time_point begin, Clock::time_point end) {
    double share = plan.rows.empty() ? 0 : Milliseconds(end - begin) / static_cast<double>(plan.rows.size());
    for (const PlanRow& row : plan.rows) {
      Submission& open = requests_.at(row.request);
      Begin(open, begin);
      RequestTimings& timings = open.timings;
      (row.phase == Phase::kPrefill    ? timings.prefill
       : row.phase == Phase::kGenerate ? timings.generate
                                       : timings.score) += share;
    }
    for (const PlanRestore& restore : plan.restores) Begin(requests_.at(restore.request), begin);
    for (const PlanRead& read : plan.reads) {
      Submission& open = requests_.at(read.request);
      Begin(open, begin);
      if (read.kind == PlanRead::Kind::kSample && !open.beams) MeterToken(open, read.candidate, end);
    }
    AddByPhase(plan, Milliseconds(end - begin), &times_);
    ++num_steps_;
    if (!plan.rows.empty()) batch_sizes_.Record(static_cast<int>(plan.rows.size()));
    num_evaluated_tokens_ += static_cast<int64_t>(plan.rows.size());
  }

  void MeterToken(Submission& open, int candidate, Clock::time_point now) {
    Clock::time_point& last = open.answers.at(candidate).last_token;
    if (last != Clock::time_point()) inter_token_.Record(Milliseconds(now - last));
    last = now;
    if (open.timings.first_token > 0) return;
    open.timings.first_token = Milliseconds(now - open.submitted);
    first_token_.Record(open.timings.first_token);
  }

  static void Begin(Submission& open, Clock::time_point now) {
    if (open.has_begun) return;
    open.has_begun = true;
    open.timings.queue = Milliseconds(now - open.submitted);
  }

  // Commands

  void Add(RequestId id, Submission open) {
    auto client = clients_.find(open.client);
    if (client == clients_.end()) return LeaveQueue(1);  // It closed meanwhile.
    client->second.requests.insert(id);
    Submission& added = requests_[id] = std::move(open);
    try {
      if (added.request.texts.empty()) {
        scheduler_.Add(ScheduledOf(id, &added));
      } else {
        encodes_.Add(EncodeOf(id, &added));
      }
      ++num_waiting_;
    } catch (const std::exception&) {
      Refuse(CaughtError(id));
    }
  }

  // Any thread. Who has been submitted and has not begun is in the queue, whether the engine thread knows of it or not.
  void EnterQueue() {
    int depth = queue_depth_.fetch_add(1);
    if (depth < options_.max_queue) return;
    LeaveQueue(1);
    throw Error("ERR_QUEUE_FULL",
                "The queue is full: " + std::to_string(depth) + " requests wait to begin, and maxQueue is " +
                    std::to_string(options_.max_queue) +
                    ". Submit again when some have ended, or load the model with a larger maxQueue.",
                {{"depth", depth}, {"maxQueue", options_.max_queue}});
  }

  void LeaveQueue(int count) { queue_depth_.fetch_sub(count); }

  int NumWaiting() const { return scheduler_.num_waiting() + encodes_.size() - encodes_.num_running(); }

  // Those that have begun or ended since the last time.
  void CountQueue() {
    int num_waiting = NumWaiting();
    LeaveQueue(std::exchange(num_waiting_, num_waiting) - num_waiting);
  }

  void Refuse(ErrorEvent error) {
    const RequestId id = error.request;
    LeaveQueue(1);
    clients_.at(requests_.at(id).client).events.push_back(std::move(error));
    Forget(id);
  }

  // Checks what can't be served and cuts max_tokens to what the context has room for.
  ScheduledRequest ScheduledOf(RequestId id, Submission* open) {
    const ModelInfo& info = backend_->info();
    Request* request = &open->request;
    CheckRequest(info, *request);
    ScheduledRequest scheduled;
    scheduled.id = id;
    scheduled.prompt = request->prompt;
    scheduled.parent = request->parent;
    scheduled.pin = request->pin;
    scheduled.is_saved = request->saved != nullptr;
    scheduled.num_candidates = request->num_candidates;
    scheduled.is_beam_search = request->beam.num_beams > 0;
    scheduled.space = request->space;
    if (request->parent == kNoRequest) scheduled.adapters = adapters_.SetOf(request->adapters);
    scheduled.priority = request->priority;
    scheduled.submitted = ToMs(open->submitted);
    if (request->timeout_ms > 0) scheduled.deadline = scheduled.submitted + request->timeout_ms;
    if (info.decoder_start >= 0) MoveToSource(id, &scheduled);
    int deepest = 0;
    for (const Question& question : request->questions) {
      scheduled.questions.push_back(Compile(question, &open->asked.questions, &deepest));
    }
    for (const Check& check : request->checks.checks) {
      scheduled.checks.push_back(Compile(check.question, &open->asked.checks, &deepest));
    }
    CheckStepFits(info, scheduled.checks);
    scheduled.max_refills = request->checks.max_refills;
    if (!request->grammar.empty()) ReadGrammar(request);
    ReadTextBias(request);
    int prompt_tokens =
        static_cast<int>(scheduled.prompt.size()) + std::max(0, scheduler_.PrefixLength(request->parent));
    int needed = (request->num_candidates > 0 ? 1 : 0) + deepest;
    if (prompt_tokens + needed > info.context_size) {
      throw Error("ERR_CONTEXT_OVERFLOW", "The prompt has " + std::to_string(prompt_tokens) + " tokens and " +
                                              std::to_string(needed) + " more are needed; the context holds " +
                                              std::to_string(info.context_size) +
                                              ". Shorten the prompt or load the model with a larger contextSize.");
    }
    request->max_tokens = std::min(request->max_tokens, info.context_size - prompt_tokens - deepest);
    scheduled.max_tokens = request->max_tokens;
    return scheduled;
  }

  static std::shared_ptr<const TokenTree> Compile(const Question& question, Session::Questions* compiled,
                                                  int* deepest) {
    const auto& added = compiled->emplace_back(std::make_shared<const CompiledQuestion>(question));
    for (const TokenTree::Node& node : added->tree().nodes) *deepest = std::max(*deepest, node.depth + 1);
    return {added, &added->tree()};
  }

  // A text of one token is biased wherever it may come, a longer one where its last token would complete it.
  void ReadTextBias(Request* request) const {
    for (const auto& [text, bias] : request->text_bias) {
      std::vector<Token> tokens = backend_->Tokenize(text, /*add_special=*/false, /*parse_special=*/true);
      if (tokens.size() == 1) request->sampling.logit_bias.emplace_back(tokens[0], bias);
      if (tokens.size() > 1) request->sampling.sequence_bias.push_back({std::move(tokens), bias});
    }
  }

  EncodeRequest EncodeOf(RequestId id, Submission* open) {
    const Request& request = open->request;
    CheckTexts(backend_->info(), request);
    EncodeRequest encode;
    encode.id = id;
    encode.texts = request.texts;
    encode.priority = request.priority;
    encode.submitted = ToMs(open->submitted);
    if (request.timeout_ms > 0) encode.deadline = encode.submitted + request.timeout_ms;
    open->encoding.emplace(id, request);
    return encode;
  }

  // What the user prompts an encoder–decoder model with is encoded; its own sequences begin with one token, and nobody
  // shares them, since they depend on the source.
  void MoveToSource(RequestId id, ScheduledRequest* scheduled) const {
    const ModelInfo& info = backend_->info();
    if (static_cast<int>(scheduled->prompt.size()) > info.max_step_tokens) {
      throw Error("ERR_CONTEXT_OVERFLOW", "The prompt has " + std::to_string(scheduled->prompt.size()) +
                                              " tokens; this model encodes at most " +
                                              std::to_string(info.max_step_tokens) +
                                              " at once. Shorten it, or load the model with larger maxStepTokens.");
    }
    scheduled->source = std::exchange(scheduled->prompt, {info.decoder_start});
    scheduled->space = "source of " + std::to_string(id);
  }

  void ReadGrammar(Request* request) {
    if (token_table_ == nullptr) {
      token_table_ = std::make_shared<TokenTable>(backend_->info().vocabulary_size, [this](Token token) {
        return backend_->TokenBytes(token, /*special=*/false);
      });
    }
    request->tokens = token_table_;
    request->rules = std::make_shared<Grammar>(ParseGbnf(request->grammar));
  }

  void Close(RequestId id) {
    if (requests_.count(id) == 0) return;
    scheduler_.Cancel(id);
    encodes_.Remove(id);
    Forget(id);
  }

  void Forget(RequestId id) {
    auto found = requests_.find(id);
    auto client = clients_.find(found->second.client);
    if (client != clients_.end()) client->second.requests.erase(id);
    requests_.erase(found);
  }

  void ReleasePrefix(RequestId id) {
    for (auto& [client_id, client] : clients_) client.prefixes.erase(id);
    if (requests_.count(id) != 0) return Close(id);  // It isn't even ready.
    scheduler_.Release(id);
  }

  // After the step

  void FinishRequests() {
    for (FinishedRequest& finished : scheduler_.TakeFinished()) {
      Submission& open = requests_.at(finished.id);
      Client& client = clients_.at(open.client);
      if (finished.error_code.empty()) {
        if (open.request.pin) client.prefixes.insert(finished.id);
        client.events.push_back(FinishOf(finished, open));
      } else {
        client.events.push_back(
            ErrorEvent{finished.id, finished.error_code, finished.error_message, finished.error_facts});
      }
      Forget(finished.id);
    }
    ForgetReleased();
  }

  FinishEvent FinishOf(const FinishedRequest& finished, Submission& open) {
    Usage usage = finished.usage;
    if (backend_->info().decoder_start >= 0) {  // The scheduler counts what is decoded.
      usage.prompt_tokens += static_cast<int>(open.request.prompt.size());
      usage.evaluated_prompt_tokens += static_cast<int>(open.request.prompt.size());
    }
    open.timings.total = Milliseconds(Clock::now() - open.submitted);
    num_generated_tokens_ += usage.generated_tokens;
    num_hit_tokens_ += usage.cached_tokens;
    num_miss_tokens_ += usage.prompt_tokens - usage.cached_tokens;
    num_recomputed_tokens_ += usage.recomputed_tokens;
    return {finished.id, usage, open.timings};
  }

  void Emit() {
    for (auto& [id, client] : clients_) {
      if (client.events.empty()) continue;
      ++num_callbacks_;
      client.emit(std::exchange(client.events, {}));
    }
  }

  void FinishClosing() {
    for (auto it = clients_.begin(); it != clients_.end();) {
      if (it->second.closing.empty() || !it->second.requests.empty()) {
        ++it;
        continue;
      }
      for (RequestId prefix : std::set<RequestId>(it->second.prefixes)) scheduler_.Release(prefix);
      ForgetReleased();
      UpdateStats();  // Before `done`, too: the loop may sleep from here on.
      std::vector<std::function<void()>> closing = std::move(it->second.closing);
      it = clients_.erase(it);
      for (auto& done : closing) done();
    }
  }

  void UpdateStats() {
    CountQueue();
    const KvCache& cache = scheduler_.cache();
    std::lock_guard<std::mutex> lock(stats_mutex_);
    stats_.running = scheduler_.num_running() + encodes_.num_running();
    stats_.waiting = NumWaiting();
    stats_.used_cells = cache.num_used_cells();
    stats_.pinned_cells = scheduler_.num_pinned_cells();
    stats_.idle_cells = cache.num_idle_cells();
    stats_.total_cells = cache.num_cells();
    stats_.used_sequences = cache.num_used_sequences();
    stats_.idle_sequences = cache.num_used_sequences() - cache.num_busy_sequences();
    stats_.total_sequences = cache.max_sequences();
    stats_.steps = num_steps_;
    stats_.evaluated_tokens = num_evaluated_tokens_;
    stats_.generated_tokens = num_generated_tokens_;
    stats_.prefix_hit_tokens = num_hit_tokens_;
    stats_.prefix_miss_tokens = num_miss_tokens_;
    stats_.preemptions = scheduler_.counts().preemptions;
    stats_.held_steps = scheduler_.counts().held_steps;
    stats_.recomputed_tokens = num_recomputed_tokens_;
    std::copy(batch_sizes_.counts().begin(), batch_sizes_.counts().end(), stats_.batch_sizes.begin());
    stats_.first_token = first_token_.Summary();
    stats_.inter_token = inter_token_.Summary();
    stats_.times = times_;
  }

  const EngineOptions options_;
  std::unique_ptr<Backend> backend_;
  AdapterShelf adapters_;
  Scheduler scheduler_;
  EncodeQueue encodes_;
  std::map<ClientId, Client> clients_;
  std::unordered_map<RequestId, Submission> requests_;
  std::unordered_map<RequestId, std::vector<float>> saved_rows_;  // By prefix: the row behind its last token.
  std::unordered_map<RequestId, std::vector<std::vector<float>>> saved_states_;  // The same, by hidden layer.
  std::shared_ptr<const TokenTable> token_table_;                                // Made for the first grammar.
  int64_t num_plans_ = 0;
  int64_t num_steps_ = 0;
  int64_t num_evaluated_tokens_ = 0;
  int64_t num_generated_tokens_ = 0;
  int64_t num_hit_tokens_ = 0;
  int64_t num_miss_tokens_ = 0;
  int64_t num_recomputed_tokens_ = 0;
  int num_waiting_ = 0;  // Of the queue's depth: those that the scheduler has.
  BatchMeter batch_sizes_;
  LatencyMeter first_token_;
  LatencyMeter inter_token_;
  PhaseTimes times_;
  bool is_stalled_ = false;
  bool is_stopping_ = false;

  std::atomic<ClientId> last_client_{0};
  std::atomic<RequestId> last_request_{0};
  std::atomic<int64_t> num_callbacks_{0};
  std::atomic<int> queue_depth_{0};
  mutable std::mutex stats_mutex_;
  EngineStats stats_;
  CommandQueue queue_;
  std::thread thread_;  // Last: it uses all of the above.
};

Engine::Engine(std::unique_ptr<Backend> backend, const EngineOptions& options)
    : impl_(std::make_unique<Impl>(std::move(backend), options)) {}
Engine::~Engine() = default;

const ModelInfo& Engine::info() const { return impl_->backend().info(); }

std::vector<Token> Engine::Tokenize(std::string_view text, bool add_special, bool parse_special) const {
  return impl_->backend().Tokenize(text, add_special, parse_special);
}

std::string Engine::Detokenize(Span<const Token> tokens, bool special) const {
  TextStream stream;
  std::string text;
  for (Token token : tokens) text += stream.Push(impl_->backend().TokenBytes(token, special));
  return text + stream.Finish();
}

Engine::ClientId Engine::OpenClient(Emit emit) { return impl_->OpenClient(std::move(emit)); }

void Engine::CloseClient(ClientId client, bool drain, std::function<void()> done) {
  impl_->CloseClient(client, drain, std::move(done));
}

RequestId Engine::Submit(ClientId client, Request request) { return impl_->Submit(client, std::move(request)); }
void Engine::Cancel(RequestId request) { impl_->Cancel(request); }
void Engine::Save(RequestId prefix, SaveDone done) { impl_->Save(prefix, std::move(done)); }
void Engine::LoadAdapter(const std::string& path, AdapterDone done) { impl_->LoadAdapter(path, std::move(done)); }
void Engine::UnloadAdapter(const std::string& path, AdapterDone done) { impl_->UnloadAdapter(path, std::move(done)); }
void Engine::Release(RequestId prefix) { impl_->Release(prefix); }
void Engine::Stop() { impl_->Stop(); }
EngineStats Engine::stats() const { return impl_->stats(); }

}  // namespace winnow

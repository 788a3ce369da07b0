// winnow-llm/recipes: the published systems, each as a few lines over the engine's primitives. docs/recipes.md.
export { RecipeRun } from './run.js';
export type {
  Asked,
  Dropped,
  RecipeEvent,
  RecipeFinish,
  RecipeOptions,
  RecipeReport,
  RecipeResult,
  Scored,
} from './run.js';
export { deriveSeed } from './work.js';
export type { Drawing, RecipeWork } from './work.js';
export { mapOrdered, readJsonLines, writeJsonLines } from './rows.js';
export { fill, loadPrompts, withPrompts } from './prompts.js';
export type { Prompts } from './prompts.js';
export { goodReply, judgeProbability, judgeReward } from './reward.js';
export type { Reward, RewardOptions } from './reward.js';

export { lamdaWithTools } from './lamda-tools.js';
export type { LamdaRound, LamdaToolsOptions, LamdaToolsPartial, LamdaToolsResult } from './lamda-tools.js';
export { filterDialogues } from './lamda-filter.js';
export type { DialogueRow, FilteredRow, FilterOptions } from './lamda-filter.js';
export { lamdaPrompts } from './prompts/lamda.js';
export { calculator } from './tools/calculator.js';
export { createRetrieval } from './tools/retrieval.js';
export type { RetrievalOptions } from './tools/retrieval.js';
export { askToolset } from './tools/tool.js';
export type { FoundSnippet, Snippet, Tool, ToolOptions, Tools, ToolsetAnswer } from './tools/tool.js';

export { sparrow } from './sparrow.js';
export type { SparrowAnswer, SparrowOptions, SparrowPartial, SparrowResult } from './sparrow.js';
export { sparrowPrompts, sparrowRules } from './prompts/sparrow.js';

export { blenderBot } from './blenderbot.js';
export type {
  BlenderBotOptions,
  BlenderBotPartial,
  BlenderBotResponse,
  BlenderBotResult,
  KnowledgeSource,
} from './blenderbot.js';
export { LongTermMemory } from './long-term-memory.js';
export { blenderBotPrompts, topicChanges } from './prompts/blenderbot.js';

export { bestOfN } from './best-of-n.js';
export type { BestOfNAnswer, BestOfNOptions, BestOfNPartial, BestOfNResult } from './best-of-n.js';
export { rejectionSampling } from './rejection-sampling.js';
export type {
  PromptRow,
  Provenance,
  RejectionSampledRow,
  RejectionSamplingOptions,
  RewardedAnswer,
} from './rejection-sampling.js';
export { attachInstruction, ghostAttention } from './ghost-attention.js';
export type { GhostAttentionOptions, GhostAttentionPartial, GhostAttentionResult } from './ghost-attention.js';

export { alignedAnswer, alignedAnswers } from './self-align.js';
export type { AlignedAnswer, AlignedRow, AlignOptions, AlignPartial, AlignRowsOptions } from './self-align.js';
export { selfInstruct, trainingRows, verboseAnswers } from './self-align-stages.js';
export type { NewQuestion, SelfInstructOptions, TrainingRow } from './self-align-stages.js';
export { selfAlign } from './self-align-pipeline.js';
export type { SelfAlignOptions, SelfAlignPartial, SelfAlignResult, SelfAlignStage } from './self-align-pipeline.js';
export { SegmentSplitter } from './segments.js';
export type { Segment } from './segments.js';
export { dromedaryPrompts, selfInstructSeeds, selfInstructTopics } from './prompts/dromedary.js';

export { critiqueAndRevise, preferenceLabel } from './constitutional.js';
export type {
  CritiqueOptions,
  CritiquePartial,
  CritiqueResult,
  PreferenceLabelOptions,
  PreferenceLabelPartial,
  PreferenceLabelResult,
  RevisionRound,
} from './constitutional.js';
export { constitution, constitutionPrompts, preferencePrinciples } from './prompts/constitution.js';
export type { Principle } from './prompts/constitution.js';

export { chainOfThought, numberBehind, selfConsistency } from './self-consistency.js';
export type {
  Path,
  SelfConsistencyOptions,
  SelfConsistencyPartial,
  SelfConsistencyResult,
} from './self-consistency.js';
export { leastToMost } from './least-to-most.js';
export type { LeastToMostOptions, LeastToMostPartial, LeastToMostResult, LeastToMostStep } from './least-to-most.js';
export { selfDebug } from './self-debug.js';
export type { Attempt, Checker, SelfDebugOptions, SelfDebugPartial, SelfDebugResult } from './self-debug.js';
export { inContext } from './in-context.js';
export type { InContextOptions, InContextPartial, InContextPrediction, InContextResult } from './in-context.js';
export { reasoningPrompts } from './prompts/reasoning.js';

export { compareAnswers } from './judging.js';
export type { ComparisonOptions, ComparisonPartial, ComparisonResult } from './judging.js';
export { gradeAnswer } from './grade.js';
export type { GradeOptions, GradeResult } from './grade.js';
export { gradeLevels, judgingPrompts } from './prompts/judging.js';

export { directorLogprobs, factualNucleusTopP } from './formulas/decoding.js';
export type { FactualNucleus } from './formulas/decoding.js';
export { dialogueMetrics } from './formulas/dialogue-metrics.js';
export type { DialogueMetrics, JudgedResponse } from './formulas/dialogue-metrics.js';
export { rougeL } from './formulas/overlap.js';
export { calibrateLabels, clampPreference, preferenceOf, swappedPreference, winRate } from './formulas/preferences.js';
export type { PairLogprobs, WinRate } from './formulas/preferences.js';
export {
  bestOfNDivergence,
  llama2Reward,
  llama2SafetyThreshold,
  measuredDivergence,
  sparrowScores,
} from './formulas/selection.js';
export type { Llama2Rewards, SparrowCandidate } from './formulas/selection.js';
export { isDecided, pathWeight, tallyVotes } from './formulas/votes.js';
export type { Tally, Vote } from './formulas/votes.js';

/** stepwright: spend a language model's inference-time compute where it counts. Everything public is named here. */

export type { AnswerRules, Check } from "./core/answer-rules.js";
export { type ErrorCode, type ErrorData, type ErrorDetails, StepwrightError } from "./core/errors.js";
export {
  Ledger,
  type LedgerData,
  type Limits,
  ledgerOf,
  limitNames,
  type RoleSpending,
} from "./core/ledger.js";
export { defineMethod, type Method, type Needs } from "./core/method.js";
export {
  type Branch,
  type Candidate,
  type Capability,
  type ChatMessage,
  type ExtendOptions,
  type Extension,
  greedy,
  type Model,
  type ModelSize,
  type OpenOptions,
  type Reading,
  type ReadOptions,
  type Sampling,
  spanFlops,
  tokenFlops,
  type Usage,
} from "./core/model.js";
export { createRegistry, type Registry } from "./core/registry.js";
export {
  type Aggregation,
  aggregate,
  aggregations,
  type Reward,
  type RewardAdvice,
  type Score,
  type Scorer,
} from "./core/reward.js";
export {
  mathsSystem,
  type RejectedStep,
  type ResultStep,
  type Run,
  type RunRequest,
  type RunResult,
  type RunRoles,
  recordedRequest,
  replay,
  startRun,
  type TraceSink,
} from "./core/run.js";
export {
  type Finish,
  type ForcedStep,
  type NextToken,
  type Node,
  type NodeRequest,
  type Outcome,
  type Outlook,
  pathSteps,
  pathText,
  type Role,
  type Search,
  type StepRequest,
  type Writer,
} from "./core/search.js";
export { blankLine, type Passage, parseSplitter, type Splitter, type Step, type Token } from "./core/step.js";
export { parseTrace, type TraceContents } from "./core/trace.js";
export {
  type RewardFailurePolicy,
  type RunEvent,
  type TraceEvent,
  traceVersion,
} from "./core/trace-event.js";
export { openTraceSink, readTrace, type StoragePolicy, type TraceSinkOptions } from "./core/trace-file.js";
export { type WhatIf, whatIf } from "./core/what-if.js";
export { answerRules } from "./grade/answer-rules.js";
export { extractAnswer } from "./grade/extract.js";
export { methods } from "./methods/index.js";
export { loadHead, loadHeadFacts } from "./models/head-file.js";
export { type PulledModel, type PullOptions, pullModel } from "./models/hub.js";
export { type LocalModel, listModels, resolveModelFile } from "./models/hub-inventory.js";
export { type OpenLlamaOptions, openLlama } from "./models/llama/index.js";
export { type ModelReference, parseModelReference } from "./models/reference.js";
export {
  Clients,
  type OpenRemoteOptions,
  openRemote,
  RemoteModel,
  type RemoteSettings,
  remoteSettings,
} from "./models/remote/index.js";
export {
  type ExplainedScore,
  type FeaturePull,
  isExplained,
  openReward,
  type RewardContext,
  rewardKinds,
} from "./rewards/index.js";

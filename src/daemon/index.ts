// What other rooms may use of the daemon.
export { startDataflow } from "./run.ts"
export type {
  DaemonEvent,
  DataflowResult,
  EdgeCounters,
  EdgeReport,
  NodeCause,
  NodeResult,
  NodeState,
  RunningDataflow,
  RunOptions,
  StopReport,
} from "./types.ts"

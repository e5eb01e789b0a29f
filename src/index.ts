/**
 * The public face of the package, `import { startNode } from 'crossbar-ts'`: names of other files, and no code. What can be
 * reached from here, and from `client/api.ts` (`crossbar-ts/component`), is what the package declares; everything else may
 * change from one version to the next.
 */
export { startNode } from './node/start.js';
export { CallError, Result } from './client/api.js';
export { ConfigError } from './config/error.js';
export { CookieStoreError } from './cookie/error.js';
export { NodeError } from './node/error.js';
export { silentLogger } from './log/logger.js';
export type { RunningNode as Node, NodeOptions, ShutdownReason } from './node/api.js';
export type { CookieStoreSummary, NodeSummary } from './node/summary.js';
export type { BesideSummary, PathSummary, WampOffer } from './transport/offer.js';
export type { ComponentSummary, ListeningSummary, RealmSummary, WorkerSummary } from './worker/summary.js';
export type { ConfigErrorCode, ConfigProblem } from './config/error.js';
export type { NodeErrorCode } from './node/error.js';
export type {
  Args,
  ClientSession,
  ComponentCallOptions,
  ComponentSession,
  ConnectOptions,
  Endpoint,
  EventDetails,
  EventHandler,
  InvocationDetails,
  Kwargs,
  PendingCall,
  Publication,
  Registration,
  Subscription,
} from './client/api.js';
export type { Logger } from './log/logger.js';

/**
 * How much is logged, and how it changes while the node runs. pino makes children by the prototype of their parent, and ours have no level of
 * their own. So what is set on the root holds for all of them, also for those that were made before. Processes of the node, which
 * log by themselves, follow it here. pino itself is not needed.
 */
import type { Logger } from 'pino';

/** From the quietest to the most talkative. */
export const LOG_LEVELS = ['none', 'error', 'warn', 'info', 'debug', 'trace'] as const;
/** A word of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Told of a new level. @param level a word of pino's */
export type LevelFollower = (level: string) => void;

const FOLLOWERS = Symbol('followers of the level');

interface Followed {
  readonly [FOLLOWERS]?: Set<LevelFollower>;
}

/** @returns the word of pino's. */
export function pinoLevel(level: LogLevel): string {
  return level === 'none' ? 'silent' : level;
}

/** Lets others follow the level of a logger, by it or by its children, whenever those were made. Called once. */
export function letFollow(log: Logger): void {
  Object.assign(log, { [FOLLOWERS]: new Set<LevelFollower>() } satisfies Followed);
}

/** Sets the level of a logger and all of its children, and tells the followers if it is another one. @param level a word of pino's */
export function setLevel(log: Logger, level: string): void {
  if (log.level === level) return;
  log.level = level;
  for (const follow of followersOf(log)) follow(level);
}

/** Follows the level of a logger; without effect where it never changes. @returns ends it. */
export function followLevel(log: Logger, follow: LevelFollower): () => void {
  const followers = followersOf(log);
  followers.add(follow);
  return () => void followers.delete(follow);
}

function followersOf(log: Logger): Set<LevelFollower> {
  return (log as Followed)[FOLLOWERS] ?? new Set();
}

/**
 * The level of the log, as `controller.options.log_level` says it, at the start and after each reload. Whoever made the logger decides
 * whether the config may do that: the command lets it, unless it has `--loglevel`.
 */
import { letFollow, pinoLevel, setLevel } from '../../log/level.js';
import type { LogLevel } from '../../log/level.js';
import type { Logger } from '../../log/logger.js';

/** The keys of `controller.options`. */
export interface LevelOptions {
  readonly log_level?: LogLevel;
}

/** The level of one node. */
export class ConfiguredLevel {
  readonly #log: Logger;
  readonly #isOurs: boolean;
  /** The level where the config has none. */
  readonly #plain: string;
  #hasSaid = false;

  /** @param log the root. @param isOurs whether the config may set its level. */
  constructor(log: Logger, isOurs: boolean) {
    this.#log = log;
    this.#isOurs = isOurs;
    this.#plain = log.level;
    if (isOurs) letFollow(log);
  }

  /** Takes what the config says now. Where it may not, and says something else than what holds, the log says so, once. */
  take({ log_level: word }: LevelOptions): void {
    const level = word === undefined ? this.#plain : pinoLevel(word);
    if (this.#isOurs) return setLevel(this.#log, level);
    if (word === undefined || level === this.#log.level || this.#hasSaid) return;
    this.#hasSaid = true;
    this.#log.warn({ log_level: word, inForce: this.#log.level }, 'log_level of the config has no effect');
  }
}

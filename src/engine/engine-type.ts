/** What stands behind a word for an engine in the config. */
import type { Logger } from '../log/logger.js';
import type { Engine } from './engine.js';

/** What an engine is connected with. */
export interface EngineConnectDeps {
  readonly log: Logger;
  /** What in the config needs the engine, as the beginning of a sentence. */
  readonly neededBy: string;
  /** What the engine may list the connection as. */
  readonly name: string;
  /** Gives the wait for an engine that is not there yet up. */
  readonly signal?: AbortSignal | undefined;
}

/** One kind of engine. */
export interface EngineType<C> {
  /**
   * @param config a checked section; what it has beside the keys of the engine is not looked at.
   * Rejects with OptionalPackageError, with EngineError, and with the reason of `signal`.
   */
  connect(config: C, deps: EngineConnectDeps): Promise<Engine>;
}

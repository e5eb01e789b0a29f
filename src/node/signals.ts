/**
 * How the daemon ends: signals and bugs become an orderly stop or an exit code. Only the CLI installs this; a program
 * that embeds a node keeps its own signal handling.
 *
 *     SIGINT, SIGTERM   stop, then exit 0
 *     a second one      exit at once with 128 + its number (130, 143)
 *     SIGHUP            at a terminal the terminal is gone: as SIGTERM. Else ignored with a warning: there is no
 *                       reload yet, and a node must not die of a request for one.
 *     uncaught error    log it as fatal and exit 1 at once: never a listener without a working node behind it
 */
import { constants } from 'node:os';

import type { Logger } from '../log/logger.js';

export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** The part of `process` that is used here, so that a test can stand in for it. */
export interface SignalSource {
  on(event: EndSignal, listener: (signal: EndSignal) => void): unknown;
  on(event: 'uncaughtException', listener: (error: Error, origin: string) => void): unknown;
  exit(code: number): void;
}

export interface SignalOptions {
  readonly source: SignalSource;
  readonly log: Logger;
  /** The orderly end: called once, with the first signal. */
  readonly stop: () => Promise<void>;
  /** Someone sits at a terminal that can go away. */
  readonly terminal: boolean;
}

/** Installs the handlers of the table above. */
export function handleSignals({ source, log, stop, terminal }: SignalOptions): void {
  let stopping = false;

  const end = (signal: EndSignal): void => {
    if (stopping) {
      log.warn({ signal }, 'second signal: ending at once');
      source.exit(128 + constants.signals[signal]);
      return;
    }
    stopping = true;
    log.info({ signal }, 'signal received');
    stop().then(
      () => source.exit(0),
      (err: unknown) => {
        log.error({ err }, 'stop failed');
        source.exit(1);
      },
    );
  };

  source.on('SIGINT', end);
  source.on('SIGTERM', end);
  source.on('SIGHUP', (signal) => {
    if (terminal) end(signal);
    else log.warn({ signal }, 'signal ignored: reload is not supported');
  });
  // An unhandled rejection arrives here too, with `origin` saying so.
  source.on('uncaughtException', (err, origin) => {
    log.fatal({ err, origin }, 'uncaught error: ending at once');
    source.exit(1);
  });
}

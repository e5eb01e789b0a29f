/**
 * How the daemon ends: signals and bugs become an orderly stop or an exit code. Only the CLI installs this; a program
 * that embeds a node keeps its own signal handling.
 *
 *     SIGINT, SIGTERM   stop, then exit 0
 *     a second one      exit at once with 128 + its number (130, 143)
 *     SIGHUP            at a terminal the terminal is gone: as SIGTERM. Else the config is read again
 *     SIGUSR1           reopens the log file, and the audit log, where there is one. Else ignored with a warning: without a listener Node.js
 *                       would open its debugger
 *     SIGUSR2           ignored with a warning: without a listener the process would end
 *     SIGQUIT           not touched: ends at once, also when the event loop is stuck
 *     uncaught error    of a component: log it and go on, because a client that calls it must not end the node.
 *                       Any other: log it as fatal and exit 1 at once: never a listener without a working node behind it
 */
import { constants } from 'node:os';

import { RepeatedLog } from '../log/repeated.js';
import type { Logger } from '../log/logger.js';
import { reopenAudits } from './audit/open-audit.js';

/** A signal that ends the process. */
export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';
/** A signal that the process only listens to. */
export type IdleSignal = 'SIGUSR1' | 'SIGUSR2';

/** The part of `process` that is used here, so that a test can stand in for it. */
export interface SignalSource {
  on(event: EndSignal, listener: (signal: EndSignal) => void): unknown;
  on(event: IdleSignal, listener: (signal: IdleSignal) => void): unknown;
  on(event: 'uncaughtException', listener: (error: Error, origin: string) => void): unknown;
  exit(code: number): void;
}

export interface SignalOptions {
  readonly source: SignalSource;
  readonly log: Logger;
  /** The orderly end: called once, with the first signal. */
  readonly stop: () => Promise<void>;
  /** Reads the config again, once the node runs. Never rejects; tells the log what came of it. */
  readonly reload: () => Promise<unknown>;
  /** Goes on with the log in a file of the same name; undefined where the log goes to no file. */
  readonly reopenLog?: (() => void) | undefined;
  /** Someone sits at a terminal that can go away. */
  readonly terminal: boolean;
  /** @returns where in the code of a component an error comes from; undefined when it does not come from there. */
  readonly foreignFrame: (error: unknown) => string | undefined;
}

/** Installs the handlers of the table above. */
export function handleSignals({ source, log, stop, terminal, foreignFrame, reopenLog, reload }: SignalOptions): void {
  const repeated = new RepeatedLog(log);
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
    if (terminal) return end(signal);
    if (stopping) return;
    log.info({ signal }, 'signal received: the config is read again');
    void reload();
  });
  const ignore = (signal: IdleSignal): void => log.warn({ signal }, 'signal ignored: it means nothing to a node');
  source.on('SIGUSR1', (signal) => {
    const audits = reopenAudits();
    if (audits > 0) log.info({ signal }, 'audit log reopened');
    if (reopenLog === undefined) return audits > 0 ? undefined : ignore(signal);
    reopenLog();
    log.info({ signal }, 'log file reopened');
  });
  source.on('SIGUSR2', ignore);
  // An unhandled rejection arrives here too, with `origin` saying so.
  source.on('uncaughtException', (err, origin) => {
    const frame = foreignFrame(err);
    if (frame !== undefined) {
      // Every place has an account of its own: they are few, and clients cannot make more.
      repeated.say('error', { err, origin, at: frame }, 'uncaught error in the code of a component', frame);
      return;
    }
    log.fatal({ err, origin }, 'uncaught error: ending at once');
    source.exit(1);
  });
}

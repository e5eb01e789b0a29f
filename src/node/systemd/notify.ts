/**
 * Tells systemd what the node does (`Type=notify`; sd_notify(3)). Its socket takes datagrams, which Node.js cannot send to a socket of
 * the file system, so the program `systemd-notify` does it: the unit needs `NotifyAccess=all`. Where nobody listens
 * (`NOTIFY_SOCKET` is not set) there is no such object, and nothing is run.
 *
 *     start -> ready -> reloading -> ready ... -> stopping
 */
import { execFile } from 'node:child_process';

import type { Logger } from '../../log/logger.js';
import { messageOf } from '../../system/error.js';
import type { Variables } from './activation.js';

/** It waits until systemd has read what it said. */
const NOTIFY_MS = 10_000;

/** So much longer than it should take may the end take, in milliseconds. */
const EXTRA_MS = 5000;

/** What runs `systemd-notify` with arguments, and what it is told by the environment. Rejects when it fails. */
export type RunNotify = (args: readonly string[], env: Variables) => Promise<void>;

/** The service manager that started this process. What is said arrives in its order; never rejects. */
export class ServiceManager {
  readonly #env: Variables;
  readonly #pid: number;
  readonly #log: Logger;
  readonly #run: RunNotify;
  #last: Promise<void> = Promise.resolve();

  constructor({ env, pid, log, run = runNotify }: ServiceManagerParts) {
    this.#env = env;
    this.#pid = pid;
    this.#log = log;
    this.#run = run;
  }

  /** The node runs, be it for the first time or again, with what is in the config now. @param status a line for people. */
  ready(status: string): Promise<void> {
    return this.#say('READY=1', `STATUS=${status}`);
  }

  /** The config is read again; {@link ready} says that it is in force. @param nowUs the monotonic clock, in microseconds. */
  reloading(nowUs: bigint = process.hrtime.bigint() / 1000n): Promise<void> {
    return this.#say('RELOADING=1', `MONOTONIC_USEC=${nowUs}`);
  }

  /** The end has begun. @param longestMs how long it takes at most, if nothing hangs. */
  stopping(longestMs: number): Promise<void> {
    const extendUs = Math.ceil(longestMs + EXTRA_MS) * 1000;
    return this.#say('STOPPING=1', 'STATUS=stopping', `EXTEND_TIMEOUT_USEC=${extendUs}`);
  }

  /** Resolves when all that was said has arrived, or could not be told: a process that ends before leaves some of it unsaid. */
  said(): Promise<void> {
    return this.#last;
  }

  #say(...variables: readonly string[]): Promise<void> {
    this.#last = this.#last.then(async () => {
      try {
        await this.#run([`--pid=${this.#pid}`, ...variables], this.#env);
      } catch (error) {
        this.#log.warn({ variables, problem: messageOf(error) }, 'systemd cannot be told what the node does');
      }
    });
    return this.#last;
  }
}

/** What a {@link ServiceManager} is made with. */
export interface ServiceManagerParts {
  /** With `NOTIFY_SOCKET`. */
  readonly env: Variables;
  /** Of this process. */
  readonly pid: number;
  readonly log: Logger;
  /** By default the program of systemd. */
  readonly run?: RunNotify;
}

/**
 * Takes `NOTIFY_SOCKET` out of the environment: programs that the node starts must not speak for it.
 * @returns undefined where nobody wants to be told.
 */
export function takeServiceManager(env: Variables, pid: number, log: Logger): ServiceManager | undefined {
  const { NOTIFY_SOCKET: socket } = env;
  if (socket === undefined || socket === '') return undefined;
  const own = { ...env };
  Reflect.deleteProperty(env, 'NOTIFY_SOCKET');
  return new ServiceManager({ env: own, pid, log });
}

function runNotify(args: readonly string[], env: Variables): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', args, { env, timeout: NOTIFY_MS }, (error) =>
      error === null ? resolve() : reject(new Error(error.message, { cause: error })),
    );
  });
}

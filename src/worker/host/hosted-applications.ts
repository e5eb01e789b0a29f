/**
 * The web applications of a router worker, in the Python process that its components have, too. Each listens on a socket file of its
 * own, in a directory that nobody else can look into.
 *
 *     start: the process -> the application is loaded, within a minute -> it listens
 *     the process ends -> nobody listens any more -> the worker has ended
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';

import { messageOf } from '../../system/error.js';
import { makePrivateDirectory } from '../../system/private-directory.js';
import type { ApplicationHost, ApplicationOrder } from '../../webservice/python/application-host.js';
import type { WorkerDeps } from '../worker.js';
import type { ComponentFailure } from './messages.js';
import { scheduled } from './scheduled.js';
import type { WorkerHosts } from './worker-hosts.js';

/** How long an application may take until it listens, by default. */
const LOAD_MS = 60_000;

/** The longest path of a socket file; some systems have less than the 107 bytes of Linux. */
const MAX_SOCKET_PATH = 103;

/** What a directory has below it: a slash, and a number. */
const MAX_NAME = 7;

/** What they need of the node. */
export type HostedApplicationsDeps = Pick<WorkerDeps, 'log' | 'outlivesFailures'> & {
  /** In milliseconds; a minute by default. */
  readonly loadMs?: number;
};

/** Those of one worker. */
export class HostedApplications implements ApplicationHost {
  readonly #hosts: WorkerHosts;
  readonly #deps: HostedApplicationsDeps;
  readonly #signal: AbortSignal | undefined;
  #directory: Promise<string> | undefined;
  #count = 0;

  /** @param signal gives the start of the worker up. */
  constructor(hosts: WorkerHosts, deps: HostedApplicationsDeps, signal: AbortSignal | undefined) {
    this.#hosts = hosts;
    this.#deps = deps;
    this.#signal = signal;
  }

  async start(order: ApplicationOrder): Promise<string> {
    const id = `/application${++this.#count}`;
    this.#directory ??= makePrivateDirectory('crossbar-ts-web-', MAX_SOCKET_PATH - MAX_NAME);
    const socket = path.join(await this.#directory, String(this.#count));
    const { facts } = order;
    try {
      await this.#load(id, { ...order.spec, socket }, facts);
    } catch (cause) {
      const isGivenUp = this.#signal?.aborted === true;
      if (isGivenUp || !this.#deps.outlivesFailures()) {
        const name = Object.values(facts).join(' ');
        throw new Error(`application ${name}: ${messageOf(cause)}`, { cause });
      }
      this.#deps.log.warn(facts, 'node goes on without a web application');
      return socket;
    }
    this.#deps.log.info(facts, 'web application started');
    return socket;
  }

  /** Removes their directory, when the host has ended. Idempotent; never rejects. */
  async stop(): Promise<void> {
    const directory = await this.#directory?.catch(() => undefined);
    if (directory === undefined) return;
    await rm(directory, { recursive: true, force: true }).catch((err: unknown) => {
      this.#deps.log.warn({ err, directory }, 'directory of the web applications not removed');
    });
  }

  async #load(id: string, spec: ApplicationOrder['spec'], facts: ApplicationOrder['facts']): Promise<void> {
    const { log, loadMs = LOAD_MS } = this.#deps;
    const signal = this.#signal;
    const running = this.#hosts.hostFor('python', signal);
    const failed = (failure: ComponentFailure): Error => {
      const { stage, problem, trace } = failure;
      log.error({ stage, problem, ...facts, ...(trace !== undefined && { trace }) }, 'web application failed');
      return new Error(`${stage}: ${problem}`);
    };
    try {
      await running.started;
    } catch (error) {
      if (signal?.aborted !== true) log.error({ problem: messageOf(error), ...facts }, 'web application failed');
      throw error;
    }
    let giveUp: (() => void) | undefined;
    let isReady = false;
    const loaded = new Promise<void>((resolve, reject) => {
      giveUp = () => reject(signal?.reason as Error);
      if (signal?.aborted === true) giveUp();
      signal?.addEventListener('abort', giveUp);
      running.host.startComponent(id, spec, {
        joined: () => undefined,
        ready: () => {
          isReady = true;
          resolve();
        },
        failed: (failure) => {
          if (!isReady) reject(failed(failure));
          else if (!this.#hosts.stopping) log.error({ reason: failure.problem, ...facts }, 'web application ended');
        },
        left: () => undefined,
      });
    });
    const late = (): never => {
      throw failed({ stage: 'import', problem: `it was not loaded within ${loadMs / 1000} seconds` });
    };
    try {
      await scheduled(loaded, loadMs, late);
    } finally {
      if (giveUp !== undefined) signal?.removeEventListener('abort', giveUp);
    }
  }
}

/**
 * The worker `guest`: a program of any kind, kept by the node (`worker/process/kept-process.ts`). A guest that fails, or cannot be
 * started at all, has a line in the log and takes nobody else down, unless its `shutdown` and that of the controller say so.
 */
import { messageOf } from '../../system/error.js';
import { startProcess } from '../../system/process/supervised.js';
import type { OutputMode, ProcessEnd, SupervisedProcess } from '../../system/process/supervised.js';
import { KeptProcess } from '../process/kept-process.js';
import { logOutput } from '../process/process-log.js';
import { guestEnvironment } from './environment.js';
import { findExecutable, isDirectory } from '../../system/executable.js';
import { FileWatch } from './file-watch.js';
import type { Logger } from '../../log/logger.js';
import type { Worker, WorkerDeps, WorkerOffer, WorkerType } from '../worker.js';
import type { GuestWorkerConfig } from './schema.js';

/** How long a guest has after SIGTERM. */
const GRACE_MS = 5000;

const OUTPUT_MODES: Readonly<Record<GuestWorkerConfig['options']['stdout'], OutputMode>> = {
  log: 'read',
  close: 'close',
  drop: 'ignore',
};

class GuestWorker implements Worker {
  readonly summary: WorkerOffer = { listening: [], realms: [], components: [] };
  readonly #config: GuestWorkerConfig;
  readonly #deps: WorkerDeps;
  readonly #log: Logger;
  readonly #kept: KeptProcess;
  #watch: FileWatch | undefined;
  #gone = false;

  constructor(config: GuestWorkerConfig, deps: WorkerDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#log = deps.log.child({ worker: config.id });
    this.#kept = new KeptProcess({
      restart: config.options.restart,
      graceMs: GRACE_MS,
      start: () => this.#startProcess(),
      onStarted: (running) => this.#onStarted(running),
      onStartFailed: (error) => this.#log.error({ problem: messageOf(error) }, 'guest could not be started'),
      onEnded: (ended, end, asked) => this.#onEnded(ended, end, asked),
      onRestart: (waitMs) => this.#log.info({ waitMs }, 'guest will be started again'),
      onKilled: ({ pid }) => this.#log.warn({ pid, graceMs: GRACE_MS }, 'guest killed: it did not end on SIGTERM'),
      onGone: (failed) => this.#onGone(failed),
    });
  }

  async start(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.#kept.start();
    const { watch } = this.#config.options;
    signal?.throwIfAborted();
    if (watch !== undefined) this.#watch = this.#watched(watch.directories);
  }

  async stop(): Promise<void> {
    this.#watch?.close();
    await this.#kept.stop();
  }

  async #startProcess(): Promise<SupervisedProcess> {
    const { executable, arguments: args, options } = this.#config;
    const { cbdir, env, warden } = this.#deps;
    const { workdir: cwd = cbdir, stdin, stdout, stderr } = options;
    // Else the system would say of the program that it is not there.
    if (!(await isDirectory(cwd))) throw new Error(`there is no directory ${cwd} (options.workdir)`);
    const { file, insteadOf } = await findExecutable(executable, { workdir: cwd, path: env['PATH'] });
    if (insteadOf !== undefined) this.#log.warn({ executable: insteadOf, file }, 'guest started with another program');
    const modes = { stdout: OUTPUT_MODES[stdout], stderr: OUTPUT_MODES[stderr] };
    return startProcess(
      { file, arguments: args, cwd, env: guestEnvironment(options.env, env), stdin: stdin !== 'close', ...modes },
      warden,
    );
  }

  #onStarted(running: SupervisedProcess): void {
    const { executable, options } = this.#config;
    const { pid } = running;
    this.#log.info({ pid, executable }, 'guest started');
    logOutput(running, this.#log.child({ pid }));
    if (typeof options.stdin !== 'object') return;
    running.stdin?.write(JSON.stringify(options.stdin.value));
    if (options.stdin.close) running.stdin?.end();
  }

  #onEnded({ pid }: SupervisedProcess, { code, signal }: ProcessEnd, asked: boolean): void {
    const facts = { pid, ...(code === null ? { signal } : { code }) };
    this.#log[code === 0 || asked ? 'info' : 'warn'](facts, 'guest ended');
  }

  #onGone(failed: boolean): void {
    if (this.#gone || !this.#config.options.shutdown) return;
    this.#gone = true;
    this.#deps.ended({ failed });
  }

  #watched(directories: readonly string[]): FileWatch {
    return new FileWatch(directories, {
      onChange: (file) => {
        this.#log.info({ file }, 'guest restarts: a file has changed');
        this.#kept.restart();
      },
      onProblem: (directory, problem) =>
        this.#log.warn({ directory, problem: messageOf(problem) }, 'directory of a guest cannot be watched'),
    });
  }
}

/** The config word `guest`. */
export const guestWorkerType: WorkerType<GuestWorkerConfig> = {
  type: 'guest',
  startsLast: true,
  create: (config, deps) => new GuestWorker(config, deps),
  cookieSections: () => [],
  privateFiles: () => [],
};

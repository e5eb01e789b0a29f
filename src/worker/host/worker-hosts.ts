/**
 * The hosts of a router worker: one process for each language that is needed. A process is started with the first that needs it. It
 * ends once, with the worker; when it ends by itself, so has the worker.
 */
import { ComponentHost } from './component-host.js';
import { HOST_PROGRAMS } from './programs.js';
import type { HostName } from '../../component/component-type.js';
import type { WorkerDeps } from '../worker.js';
import type { HostProgram } from './component-host.js';
import type { PythonOptions } from './python-program.js';

/** What a worker has for them. */
export interface WorkerHostsParts {
  /** The id of the worker. */
  readonly worker: string;
  readonly options: PythonOptions;
  /** The host that each component needs that runs in one. */
  readonly needs: readonly string[];
}

/** What the hosts need of the node. */
export type WorkerHostsDeps = Pick<WorkerDeps, 'cbdir' | 'startdir' | 'env' | 'log' | 'warden' | 'ended'>;

/** A host that is told to run. */
export interface RunningHost {
  readonly host: ComponentHost;
  /** When it has said hello. Rejects with one line for the operator. */
  readonly started: Promise<void>;
  /** How many links are taken. */
  links: number;
}

/** The hosts of one worker. */
export class WorkerHosts {
  readonly #parts: WorkerHostsParts;
  readonly #deps: WorkerHostsDeps;
  readonly #hosts = new Map<HostName, RunningHost>();
  #stopping = false;
  #ended = false;

  constructor(parts: WorkerHostsParts, deps: WorkerHostsDeps) {
    this.#parts = parts;
    this.#deps = deps;
  }

  /** From then on it is no news that something ends. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** @returns the host, which is started if need be. @param signal gives the start up. */
  hostFor(name: HostName, signal: AbortSignal | undefined): RunningHost {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const { log, warden } = this.#deps;
    const links = this.#parts.needs.filter((other) => other === name).length;
    const host = new ComponentHost(this.#program(name), {
      warden,
      log: log.child({ worker: this.#parts.worker }),
      links,
    });
    const running = { host, started: host.start(signal), links: 0 };
    // Each that needs it hears of it by itself.
    running.started.catch(() => undefined);
    void host.ended.then(({ code }) => this.#onEnd(code !== 0));
    this.#hosts.set(name, running);
    return running;
  }

  /** Ends all of them, with what runs there. Idempotent; never rejects. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#hosts.values()].map(({ host }) => host.stop()));
  }

  #program(name: HostName): HostProgram {
    const { cbdir, startdir, env } = this.#deps;
    return HOST_PROGRAMS[name](this.#parts.options, { cbdir, startdir, env });
  }

  #onEnd(failed: boolean): void {
    if (this.#stopping || this.#ended) return;
    this.#ended = true;
    this.#deps.ended({ failed });
  }
}

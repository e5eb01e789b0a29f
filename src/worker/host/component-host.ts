/**
 * A component host: one process that runs components of a worker, and its control channel (`messages.ts`). It knows neither the
 * language of the components nor how they reach their realm.
 *
 *     start -> the process says `hello` -> components, each until it has failed or left -> the process ends
 *              the process says `unusable`, ends, or says nothing for 20 s: the start fails, with one line
 *     stop: every component leaves; who is not gone after 4 s is killed
 *
 * When the process ends, so do all of its components. A host is started once; another try is another host.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Socket } from 'node:net';

import { errorCode, messageOf } from '../../system/error.js';
import { LineSplitter } from '../../system/process/lines.js';
import { startProcess } from '../../system/process/supervised.js';
import type { ProcessEnd, SupervisedProcess } from '../../system/process/supervised.js';
import type { Warden } from '../../system/process/warden.js';
import { logOutput, processLineRate } from '../process/process-log.js';
import { parseHostMessage } from './messages.js';
import type {
  ComponentFailure,
  ComponentLeft,
  HostLogLine,
  HostMessage,
  HostVersions,
  JoinedFacts,
} from './messages.js';
import type { LineRate } from '../../system/process/line-rate.js';
import { followLevel } from '../../log/level.js';
import type { Logger } from '../../log/logger.js';

/** How to start a host. */
export interface HostCommand {
  /** Absolute, or a name for the PATH of the node. */
  readonly file: string;
  readonly arguments: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the host is told first, with the level of the log. Nothing secret is among its arguments, or in its environment. */
  readonly setup: Readonly<Record<string, unknown>>;
}

/** A kind of host. */
export interface HostProgram {
  /** For messages, such as `Python`. */
  readonly name: string;
  /** Asked when a host is started. Rejects where there is no such program; the message is for the operator. */
  command(): Promise<HostCommand>;
}

/** What a component tells. `failed` or `left` is the last of it, and comes in any case. */
export interface ComponentEvents {
  joined(facts: JoinedFacts): void;
  /** What it does when it has joined is done. */
  ready(): void;
  failed(failure: ComponentFailure): void;
  left(end: ComponentLeft): void;
}

/** What a host needs. */
export interface ComponentHostDeps {
  readonly warden: Warden;
  /** Has the worker in its fields. */
  readonly log: Logger;
  /** Sockets to the host beside the control channel, one for each component that is linked. */
  readonly links: number;
  /** How long the host may take until it says hello; by default 20 s. */
  readonly helloMs?: number;
}

const HELLO_MS = 20_000;
/** The host gives its components two seconds, and itself one more. */
const STOP_MS = 4000;
/** The longest line that a host may send. */
const MAX_LINE_BYTES = 1_048_576;
/** How long its last messages are read when it has ended. */
const DRAIN_MS = 1000;

interface RunningComponent {
  readonly events: ComponentEvents;
  joined: boolean;
}

/** One process with its control channel. */
export class ComponentHost {
  /** When the process has ended, and everything that it said is told. Pending when none could be started. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  readonly #program: HostProgram;
  readonly #deps: ComponentHostDeps;
  /** id -> a component that was told to start and has not ended */
  readonly #components = new Map<string, RunningComponent>();
  readonly #end = new Settled<ProcessEnd>();
  readonly #hello = new Settled<HostVersions>();
  readonly #logs: LineRate;
  #log: Logger;
  #process: SupervisedProcess | undefined;
  /** When there is a process, or none comes. */
  #launched: Promise<void> | undefined;
  /** It has said hello. */
  #isUp = false;
  /** Why the node ended it. */
  #fault: string | undefined;
  #isOver = false;
  #stopped: Promise<void> | undefined;

  constructor(program: HostProgram, deps: ComponentHostDeps) {
    this.#program = program;
    this.#deps = deps;
    this.#log = deps.log;
    this.#logs = processLineRate(() => this.#log);
    this.ended = this.#end.promise;
  }

  /**
   * @param signal gives the start up.
   * @throws Error with one line for the operator, or the reason of the signal (rejects); then no process is left.
   */
  async start(signal?: AbortSignal): Promise<void> {
    const { name } = this.#program;
    try {
      this.#launched = this.#launch(signal);
      await this.#launched;
      const versions = await this.#awaitHello(signal);
      this.#log.info({ host: name, ...versions }, 'component host started');
    } catch (error) {
      await this.#process?.end(0);
      throw error;
    }
  }

  /** @returns our end of a socket to the host, which is its file descriptor 4 + `index`. Only after a start. */
  link(index: number): Socket {
    const socket = this.#process?.channels[1 + index];
    if (socket === undefined) throw new RangeError(`the host has no link ${index}`);
    return socket;
  }

  /** Starts a component, or starts it again after it has ended. Only after a start. @param spec as the host takes it */
  startComponent(id: string, spec: Readonly<Record<string, unknown>>, events: ComponentEvents): void {
    this.#components.set(id, { events, joined: false });
    if (this.#isOver) queueMicrotask(() => this.#endComponents('its process has ended'));
    else this.#tell({ type: 'start', component: id, spec });
  }

  /** Ends the process: its components leave first. Idempotent; resolves when it is gone. */
  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async #launch(signal: AbortSignal | undefined): Promise<void> {
    const { name } = this.#program;
    const { setup, ...command } = await this.#program.command();
    signal?.throwIfAborted();
    const channels = 1 + this.#deps.links;
    const output = { stdin: false, stdout: 'read', stderr: 'read' } as const;
    try {
      this.#process = await startProcess({ ...command, ...output, channels }, this.#deps.warden);
    } catch (error) {
      throw new Error(`${name} cannot be started: ${spawnProblem(command.file, error)}`, { cause: error });
    }
    const { pid, channels: sockets, ended } = this.#process;
    this.#log = this.#deps.log.child({ pid });
    logOutput(this.#process, this.#log);
    const [control] = sockets;
    if (control === undefined) throw new RangeError('the process has no control channel');
    const read = this.#read(control);
    this.#tell({ type: 'setup', ...setup, loglevel: this.#log.level });
    const unfollow = followLevel(this.#log, (loglevel) => this.#tell({ type: 'level', loglevel }));
    void ended.then((end) => {
      unfollow();
      return this.#onEnd(end, read);
    });
  }

  async #awaitHello(signal: AbortSignal | undefined): Promise<HostVersions> {
    const { helloMs = HELLO_MS } = this.#deps;
    const giveUp = (): void => this.#hello.reject(signal?.reason as Error);
    if (signal?.aborted === true) giveUp();
    signal?.addEventListener('abort', giveUp);
    const late = new Error(`${this.#program.name} did not say hello within ${helloMs / 1000} s`);
    const timer = setTimeout(() => this.#hello.reject(late), helloMs);
    try {
      return await this.#hello.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** @returns when nothing more comes */
  #read(control: Socket): Promise<void> {
    const lines = new LineSplitter(MAX_LINE_BYTES, (line) => this.#receive(line()));
    control.on('data', (chunk) => lines.write(chunk));
    return new Promise((resolve) => {
      control.once('close', () => {
        lines.end();
        void this.#endWithoutChannel();
        resolve();
      });
    });
  }

  /** A host without its channel could not be stopped; as a rule it is just about to exit. */
  async #endWithoutChannel(): Promise<void> {
    const running = this.#process;
    if (running !== undefined && !(await settledWithin(running.ended, DRAIN_MS))) await running.end(0);
  }

  #receive(line: string): void {
    if (this.#isOver) return;
    const message = parseHostMessage(line);
    if (message !== undefined) return this.#on(message);
    this.#log.error(
      { host: this.#program.name, line: line.slice(0, 200) },
      'component host ended: it broke the protocol',
    );
    this.#fault = 'its process broke the protocol';
    void this.#process?.end(0);
  }

  #on(message: HostMessage): void {
    switch (message.type) {
      case 'hello':
        this.#isUp = true;
        return this.#hello.resolve(message.versions);
      case 'unusable':
        return this.#hello.reject(new Error(message.problem));
      case 'log':
        return this.#write(message.line);
      default:
        return this.#onComponent(message);
    }
  }

  #onComponent(message: Extract<HostMessage, { component: string }>): void {
    const component = this.#components.get(message.component);
    // It has ended, and what it still says is of no use.
    if (component === undefined) return;
    const { events } = component;
    switch (message.type) {
      case 'joined':
        component.joined = true;
        return events.joined(message.facts);
      case 'ready':
        return events.ready();
      case 'failed':
        this.#components.delete(message.component);
        return events.failed(message.failure);
      case 'left':
        this.#components.delete(message.component);
        return events.left(message.end);
    }
  }

  #write({ level, text: line, ...facts }: HostLogLine): void {
    if (this.#logs.take()) this.#log[level]({ ...facts, line }, 'log of the process');
  }

  #tell(message: object): void {
    const [control] = this.#process?.channels ?? [];
    if (control?.writable === true) control.write(`${JSON.stringify(message)}\n`);
  }

  async #onEnd(end: ProcessEnd, read: Promise<void>): Promise<void> {
    this.#tellEnd(end);
    // Its last messages tell why it has ended; somebody who has its channel must not keep us waiting.
    await settledWithin(read, DRAIN_MS);
    for (const socket of this.#process?.channels ?? []) socket.destroy();
    this.#isOver = true;
    this.#logs.end();
    this.#hello.reject(new Error(`${this.#program.name} ended before it said hello (${endText(end)})`));
    this.#endComponents(this.#fault ?? `its process has ended (${endText(end)})`);
    this.#end.resolve(end);
  }

  /** One that never came up is told by its start. */
  #tellEnd({ code, signal }: ProcessEnd): void {
    if (!this.#isUp) return;
    const facts = { host: this.#program.name, ...(code === null ? { signal } : { code }) };
    this.#log[this.#stopped === undefined ? 'error' : 'info'](facts, 'component host ended');
  }

  #endComponents(problem: string): void {
    for (const [id, { events, joined }] of [...this.#components]) {
      this.#components.delete(id);
      if (joined) events.left({ reason: problem, clean: false });
      else events.failed({ stage: 'process', problem });
    }
  }

  async #shutDown(): Promise<void> {
    await this.#launched?.catch(() => undefined);
    const running = this.#process;
    if (running === undefined) return;
    this.#tell({ type: 'stop' });
    if (!(await settledWithin(running.ended, STOP_MS))) {
      this.#log.warn({ host: this.#program.name, graceMs: STOP_MS }, 'component host killed: it did not stop');
      await running.end(0);
    }
    await this.ended;
  }
}

/** @returns whether a promise, which never rejects, was settled in time */
async function settledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const given = new AbortController();
  const late = delay(ms, false, { signal: given.signal }).catch(() => true);
  const settled = await Promise.race([promise.then(() => true), late]);
  given.abort();
  return settled;
}

/** A promise that somebody else settles; the first time counts. */
class Settled<T> {
  resolve: (value: T) => void = () => undefined;
  reject: (error: Error) => void = () => undefined;
  readonly promise: Promise<T> = new Promise((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor() {
    // It may be rejected when nobody waits any more.
    this.promise.catch(() => undefined);
  }
}

/** @returns how a process ended, in words. */
export function endText({ code, signal }: ProcessEnd): string {
  return code === null ? String(signal) : `exit code ${code}`;
}

function spawnProblem(file: string, error: unknown): string {
  switch (errorCode(error)) {
    case 'ENOENT':
      return `there is no program ${file}`;
    case 'EACCES':
      return `${file} is no program, or not for this user`;
    default:
      return `${file}: ${messageOf(error)}`;
  }
}

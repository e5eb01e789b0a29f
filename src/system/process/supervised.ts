/**
 * A process of somebody else that the node starts and ends, with all that it starts itself: in a session and group of its own, so
 * that a Ctrl-C reaches only the node, and on the list of the warden.
 *
 *     start -> exit of the process -> the rest of its group is ended -> its last words are read -> `ended`
 */
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { endGroup } from './group.js';
import { openOutputPipes } from './output-pipes.js';
import type { OutputPipe } from './output-pipes.js';
import type { Warden } from './warden.js';

/** A grandchild that left the group may hold the output open: it is read for so long after the exit. */
const DRAIN_MS = 1000;
/** What is left of the group of a process that has ended by itself has so long after SIGTERM. */
const ORPHANS_MS = 2000;
/** Behind the input and the two outputs. */
const FIRST_CHANNEL = 3;

/** What becomes of an output: read here, closed at once at our end, or never seen. */
export type OutputMode = 'read' | 'close' | 'ignore';

/** How to start it. */
export interface ProcessCommand {
  /** Absolute, or a name for the PATH of the node. */
  readonly file: string;
  readonly arguments: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether it has a standard input; else that is the null device. */
  readonly stdin: boolean;
  readonly stdout: OutputMode;
  readonly stderr: OutputMode;
  /** Channels to it, both ways: its file descriptors 3, 4, ... Nobody else can open them. Default: none. */
  readonly channels?: number;
  /** For how long its output is read when it has ended, in milliseconds; default: one second. Who reads slowly needs more. */
  readonly drainMs?: number;
}

/** How it ended: `code` is null after a signal. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A process that runs, or ran. */
export interface SupervisedProcess {
  readonly pid: number;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Our ends of its channels. They end with it, and may still hold what it said last. */
  readonly channels: readonly Socket[];
  /** When nobody of its group is left and its output is read. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Ends the group: SIGTERM, after the grace SIGKILL. Idempotent. @returns whether somebody had to be killed. */
  end(graceMs: number): Promise<boolean>;
}

/** @throws (rejects) what the system says when it cannot be started. */
export async function startProcess(command: ProcessCommand, warden: Warden): Promise<SupervisedProcess> {
  const modes = [command.stdout, command.stderr];
  const pipes = await openOutputPipes(modes.filter((mode) => mode !== 'ignore').length);
  try {
    const waiting = [...pipes];
    const [stdout, stderr] = modes.map((mode) => (mode === 'ignore' ? undefined : waiting.shift()));
    const child = await spawned(command, [stdout?.fd ?? 'ignore', stderr?.fd ?? 'ignore'], warden);
    return new Supervised(child, {
      warden,
      drainMs: command.drainMs ?? DRAIN_MS,
      stdout: reader(stdout, modes[0]),
      stderr: reader(stderr, modes[1]),
    });
  } catch (error) {
    for (const { source } of pipes) source.destroy();
    throw error;
  } finally {
    for (const pipe of pipes) pipe.closeWriter();
  }
}

async function spawned(command: ProcessCommand, outputs: readonly (number | 'ignore')[], warden: Warden) {
  const channels = Array.from({ length: command.channels ?? 0 }, () => 'pipe' as const);
  const stdio: StdioOptions = [command.stdin ? 'pipe' : 'ignore', ...outputs, ...channels];
  const { file, arguments: args, cwd, env } = command;
  const child = spawn(file, [...args], { cwd, env: { ...env }, detached: true, stdio });
  const { pid } = child;
  if (pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error];
    throw error;
  }
  warden.guard(pid);
  return Object.assign(child, { pid });
}

/** With `close` the process gets what it gets of a reader who went away: SIGPIPE, or EPIPE. */
function reader(pipe: OutputPipe | undefined, mode: OutputMode | undefined): Readable | undefined {
  if (mode === 'read') return pipe?.source;
  pipe?.source.destroy();
  return undefined;
}

interface Parts {
  readonly warden: Warden;
  readonly drainMs: number;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
}

class Supervised implements SupervisedProcess {
  readonly pid: number;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  readonly channels: readonly Socket[];
  readonly ended: Promise<ProcessEnd>;
  #ending: Promise<boolean> | undefined;

  constructor(child: ChildProcess & { readonly pid: number }, { warden, drainMs, stdout, stderr }: Parts) {
    this.pid = child.pid;
    this.stdin = child.stdin ?? undefined;
    this.stdout = stdout;
    this.stderr = stderr;
    // A pipe to a child is a pair of sockets.
    this.channels = child.stdio.slice(FIRST_CHANNEL) as Socket[];
    // Who does not read its input is nobody's business.
    for (const stream of [this.stdin, ...this.channels]) stream?.on('error', () => undefined);
    this.ended = this.#supervise(child, warden, drainMs);
  }

  end(graceMs: number): Promise<boolean> {
    this.#ending ??= endGroup(this.pid, graceMs);
    return this.#ending;
  }

  async #supervise(child: ChildProcess, warden: Warden, drainMs: number): Promise<ProcessEnd> {
    const read = Promise.all([closed(this.stdout), closed(this.stderr)]);
    // Not `close`: that does not come while a grandchild holds a stream open.
    const end = await new Promise<ProcessEnd>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await this.end(ORPHANS_MS);
    warden.release(this.pid);
    const given = new AbortController();
    await Promise.race([read, delay(drainMs, undefined, { signal: given.signal }).catch(() => undefined)]);
    given.abort();
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream?.destroy();
    return end;
  }
}

function closed(stream: Readable | undefined): Promise<void> {
  if (stream === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    stream.on('error', () => undefined);
    stream.once('close', resolve);
  });
}

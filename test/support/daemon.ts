/**
 * The real daemon as a child process, for integration tests: `bin/crossbar-ts.js start` on a directory of its own,
 * with JSON logs. Everything waits for log records or for the end of the process, never for a time. The output is
 * kept, so that a test can look for secrets in it.
 *
 * Ports: write `port: 0` and every start gets a free port, or `port: '$PORT'` and {@link Daemon.restart} comes back on
 * the port of the first start (a client that reconnects needs that).
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { behindFronts, isRouterSocket } from './behind-fronts.js';
import { inProcesses } from './in-processes.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BIN = path.join(ROOT, 'bin/crossbar-ts.js');
const PROBE = pathToFileURL(path.join(ROOT, 'bench/probe.js')).href;

/** One JSON log line. */
export interface LogRecord {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface DaemonOptions {
  /** The node config: an object or text is written to `config.json` (or `config.yaml`) of the directory; undefined keeps what is there. */
  readonly config?: object | string;
  /** File name of the config inside the directory; `config.yaml` for YAML text. */
  readonly configName?: string;
  /** The node directory; without it a new temporary one, removed by `dispose`. */
  readonly cbdir?: string;
  /** The command; without it that of this checkout. */
  readonly bin?: string;
  /** More arguments of `start`. */
  readonly args?: readonly string[];
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** How many files it may have open (`ulimit -n`). */
  readonly openFiles?: number;
  /** Gives it a process table and a network of its own, as a container has them; needs {@link canUnshare}. End it with `kill`. */
  readonly contained?: boolean;
  /** Where its standard output goes, a descriptor; without it to this process. Then {@link Daemon.logs} stays empty. */
  readonly stdoutTo?: number;
  readonly stderrTo?: number;
  /** Loads `bench/probe.js` into it, which {@link Daemon.ask} talks to. */
  readonly probed?: boolean;
}

export interface CliResult {
  /** The exit code; null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Child = ChildProcessByStdio<null, Readable | null, Readable | null>;

interface SpawnOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly bin?: string | undefined;
  readonly openFiles?: number | undefined;
  readonly probed?: boolean | undefined;
  readonly contained?: boolean | undefined;
  readonly stdoutTo?: number | undefined;
  readonly stderrTo?: number | undefined;
}

const running = new Set<Child>();
const temporary = new Set<string>();
// The net under forgotten `dispose` calls: nothing outlives the test process.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const dir of temporary) rmSync(dir, { recursive: true, force: true });
});

/** A new empty directory, removed when the test process ends. */
export function temporaryDirectory(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-'));
  temporary.add(dir);
  return dir;
}

/** A new node directory holding `config`. */
export function nodeDirectory(config: object | string, configName = 'config.json'): string {
  const cbdir = path.join(temporaryDirectory(), '.crossbar');
  mkdirSync(cbdir);
  writeConfig(cbdir, config, configName);
  return cbdir;
}

let isBehindFronts = false;

/**
 * From now on the clients of every daemon whose config is given as an object are in fronts: a test file in `test/integration/fronts` says
 * so and then loads the suite of a single process, so that the same is asked of both.
 */
export function putBehindFronts(): void {
  isBehindFronts = true;
}

/** Whether clients are in fronts. */
export function areBehindFronts(): boolean {
  return isBehindFronts;
}

let isInProcesses = false;

/** As {@link putBehindFronts}: router workers have processes of their own, in `test/integration/process`. */
export function putInProcesses(): void {
  isInProcesses = true;
}

/** Whether router workers have processes of their own. */
export function areInProcesses(): boolean {
  return isInProcesses;
}

/** @returns the config as a daemon of this test file gets it. */
export function placedConfig(config: object): object {
  const behind = isBehindFronts ? (behindFronts(config) ?? config) : config;
  return isInProcesses ? (inProcesses(behind) ?? behind) : behind;
}

function writeConfig(cbdir: string, config: object | string, configName: string): void {
  const placed = typeof config === 'object' ? placedConfig(config) : config;
  const text = typeof placed === 'string' ? placed : JSON.stringify(placed, null, 2);
  writeFileSync(path.join(cbdir, configName), text);
}

const UNSHARE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--net'];
/** Whether processes can be put into namespaces of their own: on Linux, mostly by root. */
export function canUnshare(): boolean {
  return spawnSync(UNSHARE[0] ?? '', [...UNSHARE.slice(1), 'true']).status === 0;
}

function spawnCli(
  args: readonly string[],
  { env, cwd, bin = BIN, openFiles, probed = false, contained = false, stdoutTo, stderrTo }: SpawnOptions,
): Child {
  if (!existsSync(path.join(ROOT, 'dist/cli/main.js'))) throw new Error('dist/ is missing: run `npm run build` first');
  const command = [
    ...(contained ? UNSHARE : []),
    process.execPath,
    ...(probed ? ['--import', PROBE] : []),
    bin,
    ...args,
  ];
  const limited =
    openFiles === undefined ? command : ['sh', '-c', `ulimit -n ${openFiles} && exec "$@"`, 'sh', ...command];
  const [file = '', ...rest] = limited;
  const child = spawn(file, rest, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', stdoutTo ?? 'pipe', stderrTo ?? 'pipe', ...(probed ? (['ipc'] as const) : [])],
  }) as Child;
  child.stdout?.setEncoding('utf8');
  child.stderr?.setEncoding('utf8');
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** A command that takes so long hangs: it is killed, and its threads are named, before the test times out and tells nothing. */
const HANGS_MS = 100_000;

/** @returns for each thread of a process what it is called, and where in the kernel it waits. */
function threadsOf(pid: number): string[] {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return [];
  return readdirSync(tasks).map((id) =>
    ['comm', 'wchan', 'syscall'].map((file) => readFileSync(path.join(tasks, id, file), 'utf8').trim()).join(' '),
  );
}

/** Runs a command of the CLI to its end. */
export async function runCli(
  args: readonly string[],
  { env = {}, cwd = ROOT }: { env?: Readonly<Record<string, string>>; cwd?: string } = {},
): Promise<CliResult> {
  const child = spawnCli(args, { env, cwd });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (text: string) => (stdout += text));
  child.stderr?.on('data', (text: string) => (stderr += text));
  let threads: string[] | undefined;
  const watchdog = setTimeout(() => {
    threads = threadsOf(child.pid ?? 0);
    child.kill('SIGKILL');
  }, HANGS_MS);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(watchdog);
  if (threads !== undefined)
    throw new Error(`\`${args.join(' ')}\` hangs:\n${[...threads, stdout, stderr].join('\n')}`);
  return { code, signal, stdout, stderr };
}

/** Whether a transport of {@link behindFronts} started. */
function hasFronts({ worker }: LogRecord): boolean {
  return typeof worker === 'string' && /^fronts\d+$/.test(worker);
}

/** The process ended before what was waited for happened. */
export class DaemonExited extends Error {
  override readonly name = 'DaemonExited';
  readonly daemon: Daemon;

  constructor(message: string, daemon: Daemon) {
    super(message);
    this.daemon = daemon;
  }
}

/** A running (or ended) daemon. */
export class Daemon {
  /** Standard output so far, as it came; the same lines parsed are in {@link logs}. */
  stdout = '';
  stderr = '';
  /** Every JSON line of standard output so far. */
  readonly logs: LogRecord[] = [];
  /** Resolves when the process has ended and its output is complete. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  readonly cbdir: string;
  readonly #child: Child;
  readonly #options: DaemonOptions;
  #line = '';
  #ended = false;
  #questions = 0;
  readonly #waiting = new Set<() => void>();

  constructor(cbdir: string, options: DaemonOptions) {
    this.cbdir = cbdir;
    this.#options = options;
    const args = ['start', '--cbdir', cbdir, '--logformat', 'json', ...(options.args ?? [])];
    const { bin, openFiles, probed, contained, stdoutTo, stderrTo } = options;
    const env = { PORT: '0', ...options.env };
    this.#child = spawnCli(args, {
      env,
      cwd: path.dirname(cbdir),
      bin,
      openFiles,
      probed,
      contained,
      stdoutTo,
      stderrTo,
    });
    this.#child.stdout?.on('data', (text: string) => this.#onStdout(text));
    this.#child.stderr?.on('data', (text: string) => (this.stderr += text));
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#ended = true;
        resolve({ code, signal });
        this.#wake();
      });
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the daemon could not be spawned');
    return this.#child.pid;
  }

  /** Port of the first transport that listens. */
  get port(): number {
    const port = this.listening()[0]?.['port'];
    if (typeof port !== 'number') throw new Error('no transport listens yet');
    return port;
  }

  /** Everything the process has written, to search for secrets. */
  get output(): string {
    return this.stdout + this.stderr;
  }

  /** The `transport started` records, one per transport, in order of the config; those that fronts have first. */
  listening(): readonly LogRecord[] {
    const all = this.logs.filter(({ msg, address }) => msg === 'transport started' && !isRouterSocket(address));
    return all.sort((one, other) => Number(hasFronts(other)) - Number(hasFronts(one)));
  }

  /** `http://127.0.0.1:port` plus `urlPath`; another `protocol` (`ws`) on request. */
  url(urlPath = '/', protocol = 'http'): string {
    return `${protocol}://127.0.0.1:${this.port}${urlPath}`;
  }

  /** Waits for a log record, also one that came already. @throws DaemonExited when the process ends without it. */
  async waitForLog(matches: string | ((record: LogRecord) => boolean)): Promise<LogRecord> {
    const test = typeof matches === 'string' ? (record: LogRecord) => record.msg === matches : matches;
    for (;;) {
      const found = this.logs.find(test);
      if (found !== undefined) return found;
      if (this.#ended) {
        throw new DaemonExited(`the daemon ended before '${String(matches)}':\n${this.stderr}${this.stdout}`, this);
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Asks the probe inside the process; the questions are in `bench/probe.js`. Needs `probed`. */
  async ask<T>(question: string, details: object = {}): Promise<T> {
    const child = this.#child;
    const id = ++this.#questions;
    const answered = new Promise<T>((resolve, reject) => {
      const onMessage = (message: { probe: number; answer: T; error?: string }): void => {
        if (message.probe !== id) return;
        child.off('message', onMessage).off('disconnect', onDisconnect);
        if (message.error === undefined) resolve(message.answer);
        else reject(new Error(message.error));
      };
      const onDisconnect = (): void =>
        reject(new DaemonExited(`the daemon ended before it answered '${question}'`, this));
      child.on('message', onMessage).once('disconnect', onDisconnect);
    });
    // Where it has gone already, the answer is the end of the channel.
    if (!child.connected) throw new DaemonExited(`the daemon ended before it was asked '${question}'`, this);
    child.send({ ...details, ask: question, probe: id });
    return answered;
  }

  /** Sends a signal without waiting for what it does. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the daemon the orderly way. @returns the exit code, null when a signal ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.#ended) this.#child.kill(signal);
    return (await this.exited).code;
  }

  /** kill -9, as a power cut for the process. */
  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  /** Stops it if it still runs, then starts a new one on the same directory (see the file header about ports). */
  async restart(options: DaemonOptions = {}): Promise<Daemon> {
    const port = this.listening().length > 0 ? { PORT: String(this.port) } : {};
    await this.stop();
    const { args = [], env, bin } = this.#options;
    return startDaemon({
      args,
      ...(bin && { bin }),
      ...options,
      cbdir: this.cbdir,
      env: { ...env, ...port, ...options.env },
    });
  }

  /** Ends the daemon if it still runs and removes its directory if `startDaemon` made it. */
  async dispose(): Promise<void> {
    await this.kill();
    const made = path.dirname(this.cbdir);
    if (temporary.delete(made)) rmSync(made, { recursive: true, force: true });
  }

  #onStdout(text: string): void {
    this.stdout += text;
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{')) this.logs.push(JSON.parse(line) as LogRecord);
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

/** Spawns a daemon without waiting for anything: for tests of what goes wrong. */
export function spawnDaemon(options: DaemonOptions): Daemon {
  const { config, configName = 'config.json', cbdir } = options;
  if (cbdir !== undefined) {
    if (config !== undefined) writeConfig(cbdir, config, configName);
    return new Daemon(cbdir, options);
  }
  if (config === undefined) throw new Error('startDaemon needs a config or a cbdir');
  return new Daemon(nodeDirectory(config, configName), options);
}

/** Starts a daemon and waits until it listens everywhere. @throws DaemonExited when it ends instead. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const daemon = spawnDaemon(options);
  await daemon.waitForLog('node started');
  return daemon;
}

/**
 * `crossbar-ts start`: a node from its directory, until a signal ends it.
 */
import path from 'node:path';

import type { Logger } from '../log/logger.js';
import { resolveCbdir } from '../node/cbdir.js';
import { startNode } from '../node/start.js';
import type { RunningNode } from '../node/api.js';
import { foreignFrame } from '../node/foreign-frame.js';
import { handleSignals } from '../node/signals.js';
import { acceptInherited, warnOfIdle } from '../node/systemd/activation.js';
import { takeServiceManager } from '../node/systemd/notify.js';
import type { LogFile } from './log-file.js';
import { logFileOf, stdoutFile } from './log-options.js';
import type { LogFileWords } from './log-options.js';
import { createReporter } from './logging.js';
import type { LogOptions } from './logging.js';
import { Output } from './output.js';
import { describeFailure } from './report.js';

export interface StartOptions extends LogOptions, LogFileWords {
  readonly cbdir?: string;
  readonly rundir?: string;
  readonly statedir?: string;
  readonly config?: string;
  readonly strict?: boolean;
  /** After so many seconds the node stops by itself. */
  readonly shutdownafter?: number;
}

/** Starts the node; returns once it runs, or ends the process with 1 when it cannot. */
export async function start(options: StartOptions): Promise<void> {
  const cbdir = resolveCbdir({ option: options.cbdir, env: process.env, cwd: process.cwd() });
  // Where the node keeps what it writes.
  const logFile = logFileOf(options, options.statedir === undefined ? cbdir : path.resolve(options.statedir));
  const file = logFile ?? stdoutFile();
  const output = new Output(file ?? process.stdout);
  process.once('exit', () => output.writeOut());
  // The disk on which it may be is as full as that of the log.
  process.stderr.on('error', () => undefined);
  const reporter = createReporter(options, output, (process.env['NO_COLOR'] ?? '') !== '');
  file?.onWrittenAgain((lines) => reporter.log.warn({ lines }, 'log lines lost: the file could not be written'));

  acceptInherited(process.env, process.pid);
  const systemd = takeServiceManager(process.env, process.pid, reporter.log);
  // What systemd is told of the end is said before it, as the log is written.
  const settle = async (): Promise<void> => {
    await systemd?.said();
    await output.flush();
  };
  const interrupt = new AbortController();
  const starting = startNode({
    cbdir,
    log: reporter.log,
    configSetsLogLevel: reporter.isLevelOpen,
    signal: interrupt.signal,
    commandOptions: { ...options },
    onStopping: (longestMs) => void systemd?.stopping(longestMs),
    // A node that ends because a worker failed has failed itself.
    onShutdown: ({ failed }) => void settle().then(() => process.exit(failed ? 1 : 0)),
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.strict === undefined ? {} : { strict: options.strict }),
    ...(options.rundir === undefined ? {} : { rundir: options.rundir }),
    ...(options.statedir === undefined ? {} : { statedir: options.statedir }),
  });
  handleSignals({
    source: process,
    log: reporter.log,
    terminal: output.terminal,
    stop: () => stopNode(starting, interrupt, settle),
    foreignFrame,
    // A start that fails says so itself.
    reload: () => starting.then((node) => node.reload()).catch(() => undefined),
    reopenLog: logFile && reopening(logFile, output),
  });

  try {
    const node = await starting;
    process.title = node.summary.title;
    reporter.started(node.summary);
    warnOfIdle(reporter.log);
    void systemd?.ready(`${node.summary.realms.length} realms, ${node.summary.listening.length} transports`);
    if (logFile !== undefined && process.stdout.isTTY) process.stdout.write(`the log goes to ${logFile.file}\n`);
    if (options.shutdownafter !== undefined) {
      stopAfter(options.shutdownafter, node, reporter.log, settle);
    }
  } catch (error) {
    // `stopNode` ends the process.
    if (error === interrupt.signal.reason) return;
    process.stderr.write(describeFailure(error));
    await output.flush();
    // Not `process.exitCode`: whatever a failed start forgot must not keep a dead node alive.
    process.exit(1);
  }
}

/** `--shutdownafter`. A signal may come first: then the end has begun, and is waited for. */
function stopAfter(seconds: number, node: RunningNode, log: Logger, settle: () => Promise<void>): void {
  const stop = async (): Promise<void> => {
    log.info({ seconds }, 'the time that --shutdownafter gives it is over');
    await node.stop();
    await settle();
    process.exit(0);
  };
  setTimeout(() => {
    stop().catch((err: unknown) => {
      log.error({ err }, 'stop failed');
      process.exit(1);
    });
  }, seconds * 1000).unref();
}

/** What waits goes into the old file. */
function reopening(file: LogFile, output: Output): () => void {
  return () => {
    output.writeOut();
    file.reopen();
  };
}

/** A signal can come while the node still starts: then the start is given up. */
async function stopNode(
  starting: Promise<RunningNode>,
  interrupt: AbortController,
  settle: () => Promise<void>,
): Promise<void> {
  interrupt.abort();
  try {
    const node = await starting;
    await node.stop();
  } catch (error) {
    if (error !== interrupt.signal.reason) throw error;
  }
  await settle();
}

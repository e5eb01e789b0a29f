/**
 * The output of a process in the log of the node: a record for each line, of a bounded length, and no more of them than the log can
 * bear.
 */
import type { Readable } from 'node:stream';

import { LineRate } from '../../system/process/line-rate.js';
import { LineSplitter } from '../../system/process/lines.js';
import { systemScheduler } from '../scheduler.js';
import type { Logger } from '../../log/logger.js';

const MAX_LINE_BYTES = 8192;

/** The streams of a process. */
export interface ProcessOutput {
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
}

/** Writes what a process says to the log. All streams of a process share one limit. @param log has the process in its fields */
export function logOutput({ stdout, stderr }: ProcessOutput, log: Logger): void {
  const rate = processLineRate(() => log);
  for (const [name, stream] of [['stdout', stdout] as const, ['stderr', stderr] as const]) {
    if (stream === undefined) continue;
    const lines = new LineSplitter(MAX_LINE_BYTES, (line) => {
      if (rate.take()) log.info({ stream: name, line: line() }, 'output of the process');
    });
    stream.on('data', (chunk: Buffer) => lines.write(chunk));
    stream.once('close', () => {
      lines.end();
      rate.end();
    });
  }
}

/** @returns what bounds the lines of one process. @param log asked when something is told */
export function processLineRate(log: () => Logger): LineRate {
  return new LineRate({
    clock: () => performance.now(),
    after: (ms, callback) => systemScheduler.after(ms, callback),
    onOmitted: (lines) => log().warn({ lines }, 'lines of the process left out: there were too many'),
  });
}

/**
 * The control channel of a host: file descriptor 3, a JSON object a line both ways. A thread reads and writes it, so that the end of
 * the node is noticed even while a component keeps the process busy: then the thread ends the process.
 */
import { Socket } from 'node:net';
import { kill, pid } from 'node:process';
import { parentPort, Worker } from 'node:worker_threads';

import { LineSplitter } from '../system/process/lines.js';

const CONTROL_FD = 3;
/** The node sends secrets and `extra` in one line. */
const MAX_LINE_BYTES = 64 * 1_048_576;
/** How long the process may go on when the node is gone. */
const ORPHAN_MS = 3000;

/** What the thread tells. */
type Report = { readonly line: string } | 'ended' | 'flushed';
/** What the thread is told. */
type Order = { readonly line: string } | 'flush';

/** The end of the channel in the main thread. */
export class HostChannel {
  readonly #thread: Worker;
  #flushed: () => void = () => undefined;

  /** @param entry the file that runs {@link serveHostChannel} in a thread. */
  constructor(entry: URL, onMessage: (message: unknown) => void, onEnd: () => void) {
    this.#thread = new Worker(entry);
    this.#thread.on('message', (report: Report) => {
      if (report === 'ended') onEnd();
      else if (report === 'flushed') this.#flushed();
      else onMessage(JSON.parse(report.line));
    });
  }

  send(message: object): void {
    this.#thread.postMessage({ line: JSON.stringify(message) } satisfies Order);
  }

  /** Resolves when all that was sent has left the process. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      this.#flushed = resolve;
      this.#thread.postMessage('flush' satisfies Order);
    });
  }
}

/** What the thread does. */
export function serveHostChannel(): void {
  const tell = (report: Report): void => parentPort?.postMessage(report);
  const socket = new Socket({ fd: CONTROL_FD, readable: true, writable: true });
  const lines = new LineSplitter(MAX_LINE_BYTES, (line) => tell({ line: line() }));
  socket.on('data', (chunk) => lines.write(chunk));
  socket.on('error', () => undefined); // its end is told by `close`
  socket.once('close', () => {
    tell('ended');
    setTimeout(() => kill(pid, 'SIGKILL'), ORPHAN_MS);
  });
  parentPort?.on('message', (order: Order) => {
    if (order === 'flush') socket.write('', () => tell('flushed'));
    else socket.write(`${order.line}\n`);
  });
}

/**
 * The control socket: how commands of the same user reach a running node. A socket file in the node directory, open to
 * its owner only; lines of JSON.
 *
 *     -> {"do": "cookies.revoke", "with": {"authid": "joe"}}
 *     <- {"item": ...}           any number, for requests that answer with a list
 *     <- {"done": ...}           or {"error": "why not"}
 *
 * A connection may ask again when it has its answer. What can be asked is a table of handlers; this file knows none.
 */
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';

import type { Logger } from '../log/logger.js';
import { auditOf } from '../log/audit.js';
import { listen, ListenError } from '../transport/listen/listen.js';
import { NodeError } from './error.js';
import { errorCode, messageOf } from '../system/error.js';

export const CONTROL_FILE = 'node.sock';

/**
 * Answers one request. What it throws is told to the one who asked.
 * @param signal aborted when he has gone, which shows when something is sent: who has nothing more to say may still read.
 */
export type ControlHandler = (
  request: ControlArguments,
  send: (item: unknown) => Promise<void>,
  signal: AbortSignal,
) => Promise<unknown>;
export type ControlArguments = Readonly<Record<string, unknown>>;
export type ControlHandlers = Readonly<Record<string, ControlHandler>>;

export interface ControlOptions {
  /** The run directory: usually that of the node. */
  readonly cbdir: string;
  readonly handlers: ControlHandlers;
  readonly log: Logger;
}

/** How the answer to a request begins that there is none of: an older node says the same to a newer command. */
const UNKNOWN_REQUEST = 'this node does not know the request';
/** Of a request. */
const MAX_LINE_BYTES = 64 * 1024;
const BACKLOG = 16;

/** The node's end of the socket. */
export class ControlServer {
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #handlers: ControlHandlers;
  readonly #log: Logger;

  private constructor({ handlers, log }: ControlOptions) {
    this.#handlers = handlers;
    this.#log = log;
    // Who has nothing more to ask, as at the end of a pipe, still gets the answer, however long it is.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#serve(socket).catch((err: unknown) => {
        this.#log.debug({ err }, 'control connection failed');
        socket.destroy();
      });
    });
  }

  /** @returns undefined when there can be no socket in the directory: the node then runs without. */
  static async start(options: ControlOptions): Promise<ControlServer | undefined> {
    const control = new ControlServer(options);
    const file = path.join(options.cbdir, CONTROL_FILE);
    try {
      await control.#listen(file);
      return control;
    } catch (err) {
      if (!(err instanceof ListenError)) throw err;
      options.log.warn({ file, err }, 'no control socket: commands cannot reach this node');
      return undefined;
    }
  }

  async #listen(file: string): Promise<void> {
    await listen(this.#server, { type: 'unix', path: file, mode: '0600', backlog: BACKLOG });
  }

  /** Nobody can ask any more; the file is gone. Idempotent. */
  async stop(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  async #serve(socket: Socket): Promise<void> {
    const gone = new AbortController();
    this.#connections.add(socket);
    socket.once('close', () => {
      this.#connections.delete(socket);
      gone.abort(new Error('nobody waits for it any more'));
    });
    for await (const line of linesOf(socket, MAX_LINE_BYTES)) await this.#answer(line, socket, gone.signal);
    socket.end();
  }

  async #answer(line: string, socket: Socket, signal: AbortSignal): Promise<void> {
    const send = (what: object): Promise<void> => write(socket, what);
    try {
      const { name, request } = parseRequest(line);
      const handler = Object.hasOwn(this.#handlers, name) ? this.#handlers[name] : undefined;
      if (handler === undefined) throw new Error(`${UNKNOWN_REQUEST} ${JSON.stringify(name)}`);
      if (!READING.test(name))
        auditOf(this.#log)?.record({ event: 'control', actor: 'operator', about: told(name, request) });
      const done = await handler(request, (item) => send({ item }), signal);
      this.#log.debug({ request: name }, 'control request answered');
      await send({ done: done ?? null });
    } catch (error) {
      await send({ error: messageOf(error) });
    }
  }
}

/** Requests that change nothing. */
const READING = /^monitor\.|\.(?:list|get|status|stats|ready|verify)$/;

/** What of a request may be written down: there are ids of cookies in others. */
const TOLD: ReadonlySet<string> = new Set([
  ...[
    'id',
    'digest',
    'from',
    'authid',
    'authrole',
    'role',
    'realm',
    'worker',
    'reason',
    'store',
    'all',
    'expired',
    'restart_components',
  ],
]);

function told(name: string, request: ControlArguments): ControlArguments {
  return { request: name, ...Object.fromEntries(Object.entries(request).filter(([key]) => TOLD.has(key))) };
}

/** Asks the node that runs on a directory. */
export class ControlClient {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#lines = linesOf(socket, Infinity);
  }

  /** @returns undefined when no node listens there. */
  static async connect(cbdir: string): Promise<ControlClient | undefined> {
    const socket = connect(path.join(cbdir, CONTROL_FILE));
    try {
      await once(socket, 'connect');
      return new ControlClient(socket);
    } catch (error) {
      if (ABSENT.includes(errorCode(error) ?? '')) return undefined;
      throw new NodeError('ERR_NODE_CONTROL', `the node cannot be asked: ${messageOf(error)}`, { cause: error });
    }
  }

  /**
   * @param onItem what comes next is read when it is done.
   * @returns what the node answers in the end.
   * @throws NodeError `ERR_NODE_CONTROL` when it refuses or goes away.
   */
  async ask(
    name: string,
    request: ControlArguments,
    onItem: (item: unknown) => Promise<void> | void = () => undefined,
  ): Promise<unknown> {
    await write(this.#socket, { do: name, with: request });
    for (;;) {
      const answer = parseObject(await this.#nextLine());
      if ('item' in answer) await onItem(answer['item']);
      else if ('error' in answer) throw refusal(String(answer['error']));
      else return answer['done'];
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  async #nextLine(): Promise<string> {
    try {
      const next = await this.#lines.next();
      if (next.done !== true) return next.value;
    } catch (cause) {
      throw new NodeError('ERR_NODE_CONTROL', `the node went away: ${messageOf(cause)}`, { cause });
    }
    throw new NodeError('ERR_NODE_CONTROL', 'the node went away without an answer');
  }
}

/** No file, nobody behind it, or a path that is too long for one. */
const ABSENT: readonly string[] = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'EINVAL', 'ENAMETOOLONG'];

function refusal(text: string): NodeError {
  const isOlder = text.startsWith(UNKNOWN_REQUEST);
  const hint = isOlder ? ': it is of an older version than this command, start it again to change that' : '';
  return new NodeError('ERR_NODE_CONTROL', `${text}${hint}`);
}

function parseRequest(line: string): { name: string; request: ControlArguments } {
  const { do: name, with: request = {} } = parseObject(line);
  if (typeof name !== 'string') throw new Error('a request needs "do", the name of what is to be done');
  if (!isObject(request)) throw new Error('"with" of a request must be an object');
  return { name, request };
}

function parseObject(line: string): ControlArguments {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error('not a line of JSON');
  }
  if (!isObject(value)) throw new Error('not a JSON object');
  return value;
}

function isObject(value: unknown): value is ControlArguments {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Resolves when more may be written. */
async function write(socket: Socket, what: object): Promise<void> {
  if (socket.destroyed) throw new Error('the connection was closed');
  if (socket.write(`${JSON.stringify(what)}\n`)) return;
  const over = new AbortController();
  try {
    await Promise.race([once(socket, 'drain', over), once(socket, 'close', over)]);
  } finally {
    // The listener of the one that did not happen would stay, one for each time that the reader was slow.
    over.abort();
  }
}

/** @throws when a line is longer than `maxBytes`. */
async function* linesOf(socket: Socket, maxBytes: number): AsyncGenerator<string, undefined> {
  let begun: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    let rest = chunk;
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
      yield Buffer.concat([...begun, rest.subarray(0, end)]).toString();
      rest = rest.subarray(end + 1);
      [begun, bytes] = [[], 0];
    }
    begun.push(rest);
    bytes += rest.length;
    if (bytes > maxBytes) throw new Error('a request is too long');
  }
}

/**
 * What a node and the process of a router worker say to each other: JSON objects, one a line, on a socket that nobody else can open. Both ends
 * send messages of one kind each; the node also asks, and the process answers: with any number of items, and one end.
 *
 *     node -> process   {"ask": 1, "do": "sessions.list", "with": {}}, {"read": 1} after some items, {"drop": 1} when nobody waits any more
 *     process -> node   {"of": 1, "item": ...}, at last {"of": 1, "done": ...} or {"of": 1, "error": "why not", "uri": "..."}
 *     both              {"tell": ...}
 */
import type { Socket } from 'node:net';

import { messageOf } from '../../system/error.js';
import { LineSplitter } from '../../system/process/lines.js';
import { WampError } from '../../wamp/error.js';

type Fields = Readonly<Record<string, unknown>>;

/** Answers a request. What it throws is told to the one who asked. */
export type Answer = (request: Fields, send: (item: unknown) => Promise<void>, signal: AbortSignal) => Promise<unknown>;

/** What can be asked, by its name. */
export type Answers = Readonly<Record<string, Answer>>;

/** Who uses a channel. */
export interface ChannelUser {
  /** The other end says something. */
  readonly onTold: (message: unknown) => void;
  /** The other end is gone. Called once. */
  readonly onEnd: () => void;
  /** What the other end may ask, asked anew each time; by default nothing. */
  readonly answers?: () => Answers;
}

/** How a question is asked. */
export interface Question {
  /** What comes next is read when it is done; by default items are dropped. */
  readonly onItem?: (item: unknown) => Promise<void> | void;
  /** Nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

/** A config and an answer of many rows are lines. */
const MAX_LINE_BYTES = 64 * 1_048_576;
/** So many items may be under way; the reader tells of each half of them. */
const WINDOW = 256;

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onItem: (item: unknown) => Promise<void> | void;
  /** Items are taken one after the other. */
  last: Promise<void>;
  taken: number;
}

interface Answered {
  readonly gone: AbortController;
  underway: number;
  onRead: () => void;
}

/** One end. */
export class Channel {
  readonly #socket: Socket;
  readonly #user: ChannelUser;
  readonly #asked = new Map<number, Asked>();
  readonly #answered = new Map<number, Answered>();
  #questions = 0;
  #isOver = false;

  constructor(socket: Socket, user: ChannelUser) {
    this.#socket = socket;
    this.#user = user;
    const lines = new LineSplitter(MAX_LINE_BYTES, (line) => this.#read(line()));
    socket.on('data', (chunk: Buffer) => lines.write(chunk));
    socket.on('error', () => undefined); // its end is told by `close`
    socket.once('close', () => this.#end());
    socket.once('end', () => this.#end());
  }

  /** What the other end has not read yet, in bytes. */
  get waiting(): number {
    return this.#socket.writableLength;
  }

  /** Says something. Without effect when the other end is gone. */
  tell(message: object): void {
    this.#write({ tell: message });
  }

  /** Resolves when all that was said has left this process, or never will. */
  flush(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#socket.once('close', resolve);
      this.#socket.write('', () => resolve());
    });
  }

  /** @throws WampError (rejects) where the other end gives one; Error with what it says, and when it is gone. */
  async ask(name: string, request: object, { onItem = () => undefined, signal }: Question = {}): Promise<unknown> {
    if (this.#isOver) throw new Error('the process is gone');
    signal?.throwIfAborted();
    const id = ++this.#questions;
    const drop = (): void => {
      const reason: unknown = signal?.reason;
      this.#asked.get(id)?.reject(reason instanceof Error ? reason : new Error('nobody waits for it any more'));
      this.#write({ drop: id });
    };
    try {
      return await new Promise((resolve, reject) => {
        this.#asked.set(id, { resolve, reject, onItem, last: Promise.resolve(), taken: 0 });
        signal?.addEventListener('abort', drop, { once: true });
        this.#write({ ask: id, do: name, with: request });
      });
    } finally {
      this.#asked.delete(id);
      signal?.removeEventListener('abort', drop);
    }
  }

  /** Ends it. */
  close(): void {
    this.#socket.destroy();
    this.#end();
  }

  #write(message: object): void {
    if (!this.#isOver && this.#socket.writable) this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const { reject } of this.#asked.values()) reject(new Error('the process is gone'));
    for (const id of this.#answered.keys()) this.#dropped(id);
    this.#user.onEnd();
  }

  #read(line: string): void {
    const fields = JSON.parse(line) as Fields;
    const { tell, ask, drop, read, of } = fields;
    if (tell !== undefined) this.#user.onTold(tell);
    else if (typeof of === 'number') this.#hear(of, fields);
    else if (typeof ask === 'number') void this.#answer(ask, String(fields['do']), fields['with'] as Fields);
    else if (typeof read === 'number') this.#onRead(read);
    else if (typeof drop === 'number') this.#dropped(drop);
  }

  #hear(id: number, fields: Fields): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    if ('item' in fields) {
      asked.last = asked.last.then(() => this.#take(id, asked, fields['item']));
      return;
    }
    const settle = (): void => {
      if ('error' in fields) asked.reject(errorOf(fields));
      else asked.resolve(fields['done']);
    };
    void asked.last.then(settle);
  }

  async #take(id: number, asked: Asked, item: unknown): Promise<void> {
    try {
      await asked.onItem(item);
    } catch (error) {
      asked.reject(error instanceof Error ? error : new Error(messageOf(error)));
      this.#write({ drop: id });
    }
    asked.taken += 1;
    if (asked.taken % (WINDOW / 2) === 0) this.#write({ read: id });
  }

  #onRead(id: number): void {
    const answered = this.#answered.get(id);
    if (answered === undefined) return;
    answered.underway -= WINDOW / 2;
    answered.onRead();
  }

  #dropped(id: number): void {
    const answered = this.#answered.get(id);
    answered?.gone.abort(new Error('nobody waits for it any more'));
    answered?.onRead();
  }

  async #answer(id: number, name: string, request: Fields): Promise<void> {
    const answered: Answered = { gone: new AbortController(), underway: 0, onRead: () => undefined };
    this.#answered.set(id, answered);
    const { signal } = answered.gone;
    const send = async (item: unknown): Promise<void> => {
      while (answered.underway >= WINDOW && !signal.aborted) {
        await new Promise<void>((resolve) => (answered.onRead = resolve));
      }
      signal.throwIfAborted();
      answered.underway += 1;
      this.#write({ of: id, item });
    };
    try {
      const answers = this.#user.answers?.() ?? {};
      const answer = Object.hasOwn(answers, name) ? answers[name] : undefined;
      if (answer === undefined) throw new Error(`the process does not know the request ${JSON.stringify(name)}`);
      this.#write({ of: id, done: (await answer(request, send, signal)) ?? null });
    } catch (error) {
      const uri = error instanceof WampError ? { uri: error.uri } : {};
      this.#write({ of: id, error: messageOf(error), ...uri });
    } finally {
      this.#answered.delete(id);
    }
  }
}

function errorOf({ error, uri }: Fields): Error {
  const text = String(error);
  return typeof uri === 'string' ? new WampError(uri, text) : new Error(text);
}

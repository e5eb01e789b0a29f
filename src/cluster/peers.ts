/**
 * What two nodes say to each other, node to node: in order, and with a count, so that each notices when something of the other was
 * lost. Nothing is sent again; who needs to know is told (`lost`), and finds out what the other still has.
 *
 * A frame carries who sent it (`f`, the key of a node), its number among those from there to here (`s`), and its kind (`k`). Answers to a
 * question carry its number (`a`). A node that sent something sends a count of it (`k: "mark"`) each second, until the other one would be
 * removed if it were cut off: so the loss of the last frame is noticed, too, and that of a mark does no harm. A mark that surely reached
 * nobody tells that the other node is away, though nobody asks it for anything.
 */
import { EngineError } from '../engine/engine.js';
import { decodeFrame, encodeFrame } from './frame.js';
import { keyOf, nodeOf } from './node-ref.js';
import type { Logger } from '../log/logger.js';
import type { Scheduler } from '../router/observer.js';
import type { Dict, Payload } from '../wamp/payload.js';
import type { Engine, EngineMessage } from '../engine/engine.js';
import type { Frame } from './frame.js';
import type { NodeRef } from './node-ref.js';

export interface PeersDeps {
  readonly engine: Engine;
  readonly self: NodeRef;
  /** @returns the subject of what is for a node. */
  readonly subjectOf: (node: NodeRef) => string;
  readonly scheduler: Scheduler;
  readonly log: Logger;
  /** Whether a node was removed, or has left: what still comes from it is dropped. */
  readonly isGone: (node: NodeRef) => boolean;
  /** Between two counts, in milliseconds. */
  readonly markMs: number;
  /** How many counts follow what was sent last. */
  readonly marks: number;
  /** How long an answer may take, in milliseconds. */
  readonly answerMs: number;
}

/** Receives the frames of one kind. @param answer sends the answer to a question, once; undefined for what is none. */
export type Receiver = (
  from: NodeRef,
  frame: Frame,
  answer: ((head: Dict, payload?: Payload) => void) | undefined,
) => void;

/**
 * Asks a node. Rejects with EngineError: it is not there, gives no answer in time, or has gone meanwhile.
 * @param heard takes in the answer before anything that comes behind it. What waits for the result may run after that: both can come in
 *   one chunk.
 */
export type Ask = (to: NodeRef, kind: string, head: Dict, heard?: (answer: Frame) => void) => Promise<Frame>;

interface Peer {
  readonly node: NodeRef;
  /** How many frames were sent to it, and how often it will be told the count of them. */
  sent: number;
  marksLeft: number;
  /** How many frames came from it, and when the last one did, in milliseconds of the scheduler. */
  received: number;
  heardMs: number;
  /** Calls off the mark that looks again whether it is there. */
  stopLook: (() => void) | undefined;
}

interface Question {
  readonly to: string;
  readonly answered: (frame: Frame) => void;
  readonly failed: (error: EngineError) => void;
}

const ANSWER = 'answer';
const MARK = 'mark';

/** The token of a mark: see {@link Peers.absent}. */
const MARK_TOKEN = 'm';

/** After a frame reached nobody: longer than it takes to make a link anew, and longer than `Membership` wants it. */
const LOOK_MS = 100;

export class Peers {
  readonly #deps: PeersDeps;
  readonly #subject: string;
  readonly #selfKey: string;
  readonly #receivers = new Map<string, Receiver>();
  // the key of a node -> what is counted of it
  readonly #peers = new Map<string, Peer>();
  readonly #questions = new Map<number, Question>();
  readonly #ends: (() => void)[] = [];
  #lastQuestion = 0;
  #stopTimer: () => void = () => undefined;
  /** Called with a node of which frames were lost. */
  lost: (from: NodeRef) => void = () => undefined;
  /** Called with the `token` of a frame that surely reached nobody. */
  undelivered: (to: NodeRef, token: string) => void = () => undefined;

  /** Called with a node when a frame for it surely reached nobody. @param isMark all that was sent before has come, or is lost */
  absent: (node: NodeRef, isMark: boolean) => void = () => undefined;

  constructor(deps: PeersDeps) {
    this.#deps = deps;
    this.#selfKey = keyOf(deps.self);
    this.#subject = deps.subjectOf(deps.self);
    this.#ends.push(
      deps.engine.subscribe(this.#subject, (message) => this.#receive(message)),
      deps.engine.subscribe(`${this.#subject}.>`, (message) => this.#notice(message)),
    );
    this.#stopTimer = deps.scheduler.after(deps.markMs, () => this.#mark());
  }

  /** Each kind has one receiver. */
  on(kind: string, receiver: Receiver): void {
    this.#receivers.set(kind, receiver);
  }

  /**
   * @param token where it matters that nobody was there: characters of `A-Z a-z 0-9 _ -`.
   * @throws EngineError
   */
  send(to: NodeRef, kind: string, head: Dict, payload?: Payload, token?: string): void {
    const { engine, subjectOf } = this.#deps;
    const key = keyOf(to);
    const peer = this.#peerOf(to, key);
    const data = encodeFrame({ ...head, f: this.#selfKey, s: peer.sent + 1, k: kind }, payload);
    try {
      engine.publish(subjectOf(to), data, token === undefined ? undefined : `${this.#subject}.${key}.${token}`);
    } catch (error) {
      // It may be an answer that the other one waits for: the gap in the count tells it.
      if (error instanceof EngineError && error.fault === 'unavailable') this.#isSent(peer);
      throw error;
    }
    this.#isSent(peer);
  }

  /** @returns when something came from a node last, in milliseconds of the scheduler; undefined when nothing did. */
  heardMs(node: NodeRef): number | undefined {
    return this.#peers.get(keyOf(node))?.heardMs;
  }

  /** Looks in a moment whether a node is there: `absent` is called when it is not. */
  look(node: NodeRef): void {
    const peer = this.#peers.get(keyOf(node));
    if (peer === undefined || peer.stopLook !== undefined) return;
    peer.stopLook = this.#deps.scheduler.after(LOOK_MS, () => {
      peer.stopLook = undefined;
      if (this.#deps.engine.isUp) this.#markTo(peer);
    });
  }

  /** See {@link Ask}. */
  ask(...[to, kind, head, heard]: Parameters<Ask>): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastQuestion;
      const over = (): boolean => {
        stopTimer();
        return this.#questions.delete(id);
      };
      const failed = (error: EngineError): void => {
        if (over()) reject(error);
      };
      const stopTimer = this.#deps.scheduler.after(this.#deps.answerMs, () =>
        failed(new EngineError('unavailable', `node "${to.name}" does not answer`)),
      );
      this.#questions.set(id, {
        to: keyOf(to),
        failed,
        answered: (frame) => {
          if (!over()) return;
          heard?.(frame);
          resolve(frame);
        },
      });
      try {
        this.send(to, kind, { ...head, q: id }, undefined, `q${id}`);
      } catch (error) {
        over();
        reject(error instanceof Error ? error : new TypeError(String(error)));
      }
    });
  }

  /** A node has gone: nothing is expected of it any more. */
  forget(node: NodeRef): void {
    const key = keyOf(node);
    this.#peers.get(key)?.stopLook?.();
    this.#peers.delete(key);
    for (const { to, failed } of [...this.#questions.values()]) {
      if (to === key) failed(new EngineError('unavailable', `node "${node.name}" has gone`));
    }
  }

  /** Idempotent. Questions that are open are rejected. */
  end(): void {
    this.#stopTimer();
    for (const { stopLook } of this.#peers.values()) stopLook?.();
    for (const end of this.#ends.splice(0)) end();
    for (const { failed } of [...this.#questions.values()])
      failed(new EngineError('unavailable', 'this node leaves the cluster'));
  }

  #receive({ data }: EngineMessage): void {
    const frame = decodeFrame(data);
    const { f: key, s: number, k: kind, q: question } = frame?.head ?? {};
    const from = typeof key === 'string' ? nodeOf(key) : undefined;
    if (frame === undefined || from === undefined || typeof kind !== 'string' || typeof number !== 'number') {
      return this.#deps.log.warn({ bytes: data.length }, 'dropped a message that is not of this cluster');
    }
    if (this.#deps.isGone(from)) return;
    this.#count(this.#peerOf(from, keyOf(from)), kind === MARK ? number : number - 1, kind !== MARK);
    if (kind === MARK) return;
    if (kind === ANSWER) return this.#questions.get(Number(frame.head['a']))?.answered(frame);
    const receiver = this.#receivers.get(kind);
    // This node is still joining: it has nobody whom the message is for, and who asks goes on without it.
    if (this.#receivers.size === 0) return;
    if (receiver === undefined)
      return this.#deps.log.warn({ node: from.name, kind }, 'dropped a message of a kind that this node does not know');
    receiver(from, frame, typeof question === 'number' ? this.#answering(from, question) : undefined);
  }

  /** @param before how many frames were sent before this one. */
  #count(peer: Peer, before: number, isOne: boolean): void {
    peer.heardMs = this.#deps.scheduler.elapsed();
    const isComplete = peer.received === before;
    peer.received = before + (isOne ? 1 : 0);
    if (!isComplete) this.lost(peer.node);
  }

  #answering(to: NodeRef, question: number): (head: Dict, payload?: Payload) => void {
    return (head, payload) => {
      try {
        this.send(to, ANSWER, { ...head, a: question }, payload);
      } catch (error) {
        // The one who asks finds out by the time.
        this.#deps.log.debug({ err: error, node: to.name }, 'an answer could not be sent');
      }
    };
  }

  /** Nobody was there for a frame with a token. */
  #notice({ subject, undelivered }: EngineMessage): void {
    if (!undelivered) return;
    const [name, epoch, token] = subject.slice(this.#subject.length + 1).split('.');
    const node = nodeOf(`${name ?? ''}.${epoch ?? ''}`);
    if (node === undefined || token === undefined) return;
    this.absent(node, token === MARK_TOKEN);
    if (token === MARK_TOKEN) return;
    if (!token.startsWith('q')) return this.undelivered(node, token);
    this.#questions
      .get(Number(token.slice(1)))
      ?.failed(new EngineError('unavailable', `node "${node.name}" is not there`));
  }

  #mark(): void {
    const { engine, scheduler, markMs } = this.#deps;
    this.#stopTimer = scheduler.after(markMs, () => this.#mark());
    if (!engine.isUp) return;
    for (const peer of this.#peers.values()) {
      if (peer.marksLeft === 0) continue;
      // While the engine takes nothing the next mark says it.
      if (!this.#markTo(peer)) return;
      peer.marksLeft -= 1;
    }
  }

  /** @returns whether the engine took it. */
  #markTo({ node, sent }: Peer): boolean {
    const { engine, subjectOf } = this.#deps;
    const mark = encodeFrame({ f: this.#selfKey, s: sent, k: MARK });
    try {
      engine.publish(subjectOf(node), mark, `${this.#subject}.${keyOf(node)}.${MARK_TOKEN}`);
      return true;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      return false;
    }
  }

  #isSent(peer: Peer): void {
    peer.sent += 1;
    peer.marksLeft = this.#deps.marks;
  }

  #peerOf(node: NodeRef, key: string): Peer {
    let peer = this.#peers.get(key);
    if (peer === undefined) {
      peer = { node, sent: 0, marksLeft: 0, received: 0, heardMs: 0, stopLook: undefined };
      this.#peers.set(key, peer);
    }
    return peer;
  }
}

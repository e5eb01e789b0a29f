/**
 * Questions of the meta API between the nodes of one realm, and their answers. An answer may be longer than a message of the engine,
 * and may take its time (a cookie store deletes logins before a kill is over), so it comes in pieces:
 *
 *     node of the caller                        another node
 *     meta       --- the question ---->         Elsewhere.answer
 *                <-- got it -----------         at once: whoever does not say so in time is not there, or the caller gets an error
 *                <-- meta.list * n ----         so many ids each
 *                <-- meta.end ---------         the rest, or an error
 *
 * The end comes whenever it is ready. It does not come when frames of the node were lost (the caller gets an error then) or the node has
 * gone, which has nothing to say then.
 */
import { EngineError } from '../../engine/engine.js';
import { ErrorUri, WampError } from '../../wamp/error.js';
import { isDict } from '../../wamp/payload.js';
import { keyOf } from '../node-ref.js';
import type { Dict } from '../../wamp/payload.js';
import type { Realm } from '../../router/realm.js';
import type { Scheduler } from '../../router/observer.js';
import type { MetaAnswer, MetaQuestion } from '../../router/uplink.js';
import type { Frame } from '../frame.js';
import type { Membership } from '../membership.js';
import type { NodeRef } from '../node-ref.js';
import type { Ask } from '../peers.js';

/** The kinds of frames. */
export const META = 'meta';
export const META_ANSWERS = ['meta.list', 'meta.end'] as const;
const [LIST, END] = META_ANSWERS;

/** An id takes 17 bytes, so this is far below what every engine carries, and takes two milliseconds. */
const IDS_OF_PIECE = 20_000;

/** Between two attempts to reach a node. */
const RETRY_MS = 100;

export interface RealmMetaDeps {
  /** The realm; undefined before it is there. */
  readonly realm: () => { readonly elsewhere: Pick<Realm['elsewhere'], 'answer'> } | undefined;
  readonly membership: Pick<Membership, 'others' | 'isSuspect' | 'isSilent'>;
  /** @returns the other node that gave a session id. */
  readonly nodeOfSession: (id: number) => NodeRef | undefined;
  /** Sends a frame of this realm. @throws EngineError */
  readonly send: (to: NodeRef, kind: string, head: Dict) => void;
  /** Asks about this realm. */
  readonly ask: Ask;
  /** How long `ask` waits, in milliseconds. */
  readonly answerMs: number;
  readonly scheduler: Scheduler;
}

/** What has come of the answer of one node. */
interface Collected {
  readonly lists: Record<string, number[]>;
}

/** A question of this node. */
interface Open {
  readonly question: MetaQuestion;
  readonly answers: MetaAnswer[];
  // the key of a node -> what has come of its answer
  readonly waiting: Map<string, Collected>;
  readonly done: (answers: readonly MetaAnswer[] | WampError) => void;
}

export class RealmMeta {
  readonly #deps: RealmMetaDeps;
  readonly #open = new Map<number, Open>();
  #lastId = 0;
  #isOver = false;

  constructor(deps: RealmMetaDeps) {
    this.#deps = deps;
  }

  /** How many questions wait for answers. */
  get size(): number {
    return this.#open.size;
  }

  /** See `Uplink`. */
  ask(question: MetaQuestion, done: Open['done']): void {
    if (this.#isOver) return done(unanswered());
    const nodes = this.#nodesFor(question);
    if (nodes.length === 0) return done([]);
    const id = ++this.#lastId;
    const waiting = new Map(nodes.map((node) => [keyOf(node), { lists: {} }]));
    this.#open.set(id, { question, answers: [], waiting, done });
    for (const node of nodes) void this.#askOne(id, node);
  }

  /** A question of another node. @param accept says that it is here, or that nothing will come. */
  asked(from: NodeRef, { head }: Frame, accept: (head: Dict) => void): void {
    const { m: id, w: procedure, d: question } = head;
    const elsewhere = this.#deps.realm()?.elsewhere;
    if (elsewhere === undefined || typeof procedure !== 'string' || !isDict(question)) return accept({ none: true });
    accept({});
    elsewhere.answer(procedure, question, (answer) => void this.#answer(from, { m: id }, answer));
  }

  /** A piece of an answer, or its end. */
  received(from: NodeRef, kind: string, { head }: Frame): void {
    const open = this.#open.get(Number(head['m']));
    const collected = open?.waiting.get(keyOf(from));
    if (open === undefined || collected === undefined) return;
    if (kind === LIST) return collect(collected, head);
    if (typeof head['u'] === 'string')
      return this.#fail(Number(head['m']), new WampError(head['u'], String(head['t'])));
    const { x: facts } = head;
    open.answers.push({ lists: collected.lists, ...(isDict(facts) && { facts }) });
    this.#settle(Number(head['m']), from);
  }

  /** Frames of a node were lost: a piece of an answer may have been among them. */
  lost(node: NodeRef): void {
    for (const [id, { waiting }] of [...this.#open]) if (waiting.has(keyOf(node))) this.#fail(id, unanswered());
  }

  /** A node has gone. */
  forget(node: NodeRef): void {
    for (const id of [...this.#open.keys()]) this.#settle(id, node);
  }

  /** This node has left the cluster. */
  end(): void {
    this.#isOver = true;
    for (const id of [...this.#open.keys()]) this.#fail(id, unanswered());
  }

  #nodesFor({ about }: MetaQuestion): readonly NodeRef[] {
    const { membership, nodeOfSession } = this.#deps;
    const node = about === undefined ? undefined : nodeOfSession(about);
    // Who gave an id may have left the cluster and come back, with the session.
    const nodes = node === undefined ? membership.others : [node];
    return nodes.filter((each) => !membership.isSilent(each));
  }

  async #askOne(id: number, node: NodeRef): Promise<void> {
    const { membership, scheduler, answerMs, ask } = this.#deps;
    const { question: about } = this.#open.get(id) ?? {};
    if (about === undefined) return;
    const head = { m: id, w: about.procedure, d: about.question };
    const startMs = scheduler.elapsed();
    while (this.#open.has(id)) {
      try {
        const { head: answer } = await ask(node, META, head);
        return answer['none'] === true ? this.#settle(id, node) : undefined;
      } catch (error) {
        if (error instanceof EngineError && error.fault === 'too_large') return this.#fail(id, tooLarge());
        if (membership.isSilent(node)) return this.#settle(id, node);
        // Whoever is surely not reached may be cut off for a moment, with sessions that live: it is asked again until it is silent.
        const isAbsent = membership.isSuspect(node);
        if (!isAbsent && scheduler.elapsed() - startMs >= answerMs) return this.#fail(id, unanswered());
      }
      await new Promise<void>((resolve) => scheduler.after(RETRY_MS, resolve));
    }
  }

  /** Nothing more comes from a node. */
  #settle(id: number, node: NodeRef): void {
    const open = this.#open.get(id);
    if (open?.waiting.delete(keyOf(node)) !== true || open.waiting.size > 0) return;
    this.#open.delete(id);
    open.done(open.answers);
  }

  #fail(id: number, error: WampError): void {
    const open = this.#open.get(id);
    this.#open.delete(id);
    open?.done(error);
  }

  /** Sends an answer, a piece in each turn of the event loop. */
  async #answer(to: NodeRef, head: Dict, answer: MetaAnswer | WampError): Promise<void> {
    if (answer instanceof WampError) {
      return this.#deliver(to, END, { ...head, u: answer.uri, t: answer.message });
    }
    for (const [name, ids] of Object.entries(answer.lists ?? {})) {
      for (let start = 0; start < ids.length; start += IDS_OF_PIECE) {
        await this.#deliver(to, LIST, { ...head, n: name, l: ids.slice(start, start + IDS_OF_PIECE) });
        if (ids.length > IDS_OF_PIECE) await this.#pause(0);
      }
    }
    await this.#deliver(to, END, { ...head, x: answer.facts });
  }

  /** Sends a frame, when the link is up. */
  async #deliver(to: NodeRef, kind: string, head: Dict): Promise<void> {
    while (!this.#isOver && this.#isHere(to)) {
      try {
        return this.#deps.send(to, kind, head);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        if (error.fault !== 'unavailable') {
          const { uri, message } = tooLarge();
          return this.#deliver(to, END, { m: head['m'], u: uri, t: message });
        }
      }
      await this.#pause(RETRY_MS);
    }
  }

  #isHere(node: NodeRef): boolean {
    return this.#deps.membership.others.some((other) => keyOf(other) === keyOf(node));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#deps.scheduler.after(ms, resolve));
  }
}

function collect({ lists }: Collected, { n: name, l: ids }: Dict): void {
  if (typeof name !== 'string' || !Array.isArray(ids)) return;
  const list = (lists[name] ??= []);
  for (const id of ids as readonly unknown[]) if (typeof id === 'number') list.push(id);
}

function unanswered(): WampError {
  return new WampError(ErrorUri.UNAVAILABLE, 'a node of the cluster does not answer');
}

function tooLarge(): WampError {
  return new WampError(ErrorUri.PAYLOAD_SIZE_EXCEEDED, 'the message is larger than the cluster carries');
}

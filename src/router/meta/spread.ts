/**
 * Procedures of the meta API that concern all nodes of a realm. Each is taken apart: the node of the caller checks the arguments and
 * makes a question of them, every node answers it for itself, and the node of the caller puts the answers together. Questions and
 * answers are plain data, which can be sent. A node alone does all three at once.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import type { Call } from '../../wamp/message.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { Later } from '../observer.js';
import type { RouterSession } from '../session.js';
import type { MetaAnswer, Uplink } from '../uplink.js';
import type { MetaProcedure } from './procedure.js';

/** An answer that is not there yet. @param reply called once. */
export type LaterAnswer = (reply: (answer: MetaAnswer | WampError) => void) => void;

/** One procedure, taken apart. */
export interface SpreadProcedure<Question extends Dict = Dict> {
  /** @returns what the nodes are asked. @throws WampError for arguments that it cannot use. */
  readonly question: (caller: RouterSession, call: Call) => Question;
  /** @returns the one session that the question is about: only its node is asked. */
  readonly about?: (question: Question) => number;
  /** @returns what this node has to say. The question may come from another node, of which nobody checks it again. */
  readonly answer: (question: Question) => MetaAnswer | LaterAnswer;
  /**
   * @param answers of the nodes that there are; empty ones of nodes that have nothing to say.
   * @throws WampError
   */
  readonly result: (answers: readonly MetaAnswer[], question: Question) => Payload;
}

/** Procedure URI -> procedure. */
export type SpreadTable = Readonly<Record<string, SpreadProcedure>>;

/** So many calls of one session may wait for other nodes. */
const MAX_WAITING = 100;

export interface SpreadDeps {
  /** The sessions of the realm by id, those of this node. */
  readonly sessions: ReadonlyMap<number, RouterSession>;
  /** The other nodes; undefined: there are none. */
  readonly uplink: Pick<Uplink, 'ask'> | undefined;
}

/** @returns the parts as one: so that the compiler sees that they agree. */
export function spread<Question extends Dict>(procedure: SpreadProcedure<Question>): SpreadProcedure {
  // What `answer` and `result` get is what `question` has made, here or on another node.
  return procedure as unknown as SpreadProcedure;
}

/** Asks the nodes, and puts their answers together. */
export class Spread {
  readonly #deps: SpreadDeps;
  // session -> how many of its calls wait; never 0
  readonly #waiting = new Map<RouterSession, number>();

  constructor(deps: SpreadDeps) {
    this.#deps = deps;
  }

  /** How many sessions have calls that wait for other nodes. */
  get size(): number {
    return this.#waiting.size;
  }

  /** @returns the procedure as the dealer calls it. */
  whole(uri: string, procedure: SpreadProcedure): MetaProcedure {
    const { uplink, sessions } = this.#deps;
    if (uplink === undefined) return (caller, call) => alone(procedure, procedure.question(caller, call));
    return (caller, call) => {
      const question = procedure.question(caller, call);
      const about = procedure.about?.(question);
      if (about !== undefined && sessions.has(about)) return alone(procedure, question);
      this.#begin(caller);
      const others: Others = (done) => uplink.ask({ procedure: uri, question, about }, done);
      return together(procedure, question, others, () => this.#end(caller));
    };
  }

  /** @throws WampError when too many calls of the session wait. */
  #begin(caller: RouterSession): void {
    const count = this.#waiting.get(caller) ?? 0;
    if (count >= MAX_WAITING) {
      const text = `${MAX_WAITING} calls of this session wait for answers of other nodes, and more may not`;
      throw new WampError(ErrorUri.LIMIT_EXCEEDED, text);
    }
    this.#waiting.set(caller, count + 1);
  }

  #end(caller: RouterSession): void {
    const left = (this.#waiting.get(caller) ?? 1) - 1;
    if (left > 0) this.#waiting.set(caller, left);
    else this.#waiting.delete(caller);
  }
}

/** Asks the other nodes. */
type Others = (done: (answers: readonly MetaAnswer[] | WampError) => void) => void;

function alone(procedure: SpreadProcedure, question: Dict): Payload | Later {
  const answer = procedure.answer(question);
  if (typeof answer !== 'function') return procedure.result([answer], question);
  return (reply, fail) =>
    answer((own) => (own instanceof WampError ? fail(own) : give(procedure, question, [own], reply, fail)));
}

function together(procedure: SpreadProcedure, question: Dict, others: Others, ended: () => void): Later {
  return (reply, fail) => {
    let own: MetaAnswer | undefined;
    let theirs: readonly MetaAnswer[] | undefined;
    let isOver = false;
    const over = (): boolean => {
      if (isOver) return false;
      ended();
      return (isOver = true);
    };
    const failed = (error: WampError): void => {
      if (over()) fail(error);
    };
    const complete = (): void => {
      if (own !== undefined && theirs !== undefined && over()) give(procedure, question, [own, ...theirs], reply, fail);
    };
    const answer = procedure.answer(question);
    const answered = (value: MetaAnswer | WampError): void => {
      if (value instanceof WampError) return failed(value);
      own = value;
      complete();
    };
    others((answers) => {
      if (answers instanceof WampError) return failed(answers);
      theirs = answers;
      complete();
    });
    if (typeof answer === 'function') answer(answered);
    else answered(answer);
  };
}

function give(
  procedure: SpreadProcedure,
  question: Dict,
  answers: readonly MetaAnswer[],
  reply: (payload: Payload) => void,
  fail: (error: WampError) => void,
): void {
  let result: Payload;
  try {
    result = procedure.result(answers, question);
  } catch (error) {
    if (!(error instanceof WampError)) throw error;
    return fail(error);
  }
  reply(result);
}

/** @returns one list of the answers of all nodes. */
export function joinedList(answers: readonly MetaAnswer[], name: string): readonly number[] {
  const [only, ...more] = answers;
  if (more.length === 0) return only?.lists?.[name] ?? [];
  return answers.flatMap(({ lists }) => lists?.[name] ?? []);
}

/** @returns the sum of a number that all nodes have told. */
export function sumOf(answers: readonly MetaAnswer[], name: string): number {
  return answers.reduce((sum, { facts }) => sum + Number(facts?.[name] ?? 0), 0);
}

/** @returns whether any node has told that something is so. */
export function anyOf(answers: readonly MetaAnswer[], name: string): boolean {
  return answers.some(({ facts }) => facts?.[name] === true);
}

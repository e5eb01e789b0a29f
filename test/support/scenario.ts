/**
 * Plays black-box scenarios of `test/fixtures/wamp/own-vectors/scenarios.json` against a router: named sessions, and
 * steps `[session, operation, argument]`. The language of patterns: arrays have the exact length, objects are subsets,
 * `"?"` is anything, `"$name"` binds on first use and must be equal later, `"$$name"` is the id of that session,
 * `"$realm"` is the realm. This file knows neither the daemon nor a transport; it is told how to connect.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ConnectionClosed, within } from './wamp-client.js';

const VECTORS = path.resolve(import.meta.dirname, '../fixtures/wamp/own-vectors');
const ROLES = ['caller', 'callee', 'publisher', 'subscriber'] as const;

export type Step =
  | readonly [session: string, op: 'send' | 'expect' | 'expect_prefix' | 'expect_args0', message: readonly unknown[]]
  | readonly [session: string, op: 'expect_any', messages: readonly (readonly unknown[])[]]
  /** The vectors give a time to wait; here it is waited until nothing is on its way. */
  | readonly [session: string, op: 'silent', ms: number]
  | readonly [session: string, op: 'close'];

export interface Scenario {
  readonly id: string;
  readonly priority: 'P0' | 'P1';
  readonly title: string;
  readonly refs: readonly string[];
  readonly sessions: Readonly<Record<string, { readonly features?: Readonly<Record<string, object>> }>>;
  readonly steps: readonly Step[];
}

/** A connection to the router on any transport, in any serializer. */
export interface Peer {
  readonly isOpen: boolean;
  send(message: readonly unknown[]): void;
  /** The next message. @throws ConnectionClosed when none comes any more. */
  next(): Promise<unknown[]>;
  /** Waits until everything is here that the router had for it, and keeps it to be read. */
  settle(): Promise<void>;
  /** As {@link settle}. @throws when there is a message that was not read. */
  silent(): Promise<void>;
  hello(realm: string, details: Readonly<Record<string, unknown>>): Promise<{ readonly sessionId: number }>;
  /** GOODBYE, the answer, and the end of the connection. */
  leave(): Promise<unknown>;
  /** Drops the connection without a word. */
  drop(): Promise<unknown>;
}

/** Reads a file of the vectors; the caller says what is in it. */
export function loadVectors(file: string): unknown {
  return JSON.parse(readFileSync(path.join(VECTORS, file), 'utf8'));
}

/** What the names of a scenario stand for. */
export type Bindings = Map<string, unknown>;

/**
 * Compares a value with a pattern of the scenario language; new names are bound on the way.
 * @returns undefined when it fits, otherwise where it does not and why.
 */
export function mismatch(pattern: unknown, value: unknown, bindings: Bindings, where = 'message'): string | undefined {
  if (pattern === '?') return undefined;
  if (typeof pattern === 'string' && pattern.startsWith('$')) return boundMismatch(pattern, value, bindings, where);
  if (Array.isArray(pattern)) return arrayMismatch(pattern, value, bindings, where, pattern.length);
  if (typeof pattern === 'object' && pattern !== null) return objectMismatch(pattern, value, bindings, where);
  if (Object.is(pattern, value)) return undefined;
  return `${where}: expected ${JSON.stringify(pattern)}, got ${JSON.stringify(value)}`;
}

/** The same for a message that may have more elements than the pattern. */
export function prefixMismatch(pattern: readonly unknown[], message: readonly unknown[], bindings: Bindings) {
  return arrayMismatch(pattern, message.slice(0, pattern.length), bindings, 'message', pattern.length);
}

function boundMismatch(name: string, value: unknown, bindings: Bindings, where: string): string | undefined {
  if (!bindings.has(name)) {
    if (name.startsWith('$$')) return `${where}: ${name} is no session of this scenario`;
    bindings.set(name, value);
    return undefined;
  }
  const bound = bindings.get(name);
  if (Object.is(bound, value)) return undefined;
  return `${where}: expected ${name} = ${JSON.stringify(bound)}, got ${JSON.stringify(value)}`;
}

function arrayMismatch(
  pattern: readonly unknown[],
  value: unknown,
  bindings: Bindings,
  where: string,
  length: number,
): string | undefined {
  if (!Array.isArray(value) || value.length !== length) {
    return `${where}: expected ${length} elements ${JSON.stringify(pattern)}, got ${JSON.stringify(value)}`;
  }
  for (const [index, element] of pattern.entries()) {
    const problem = mismatch(element, value[index], bindings, `${where}[${index}]`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function objectMismatch(pattern: object, value: unknown, bindings: Bindings, where: string): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `${where}: expected an object, got ${JSON.stringify(value)}`;
  }
  for (const [key, expected] of Object.entries(pattern)) {
    if (!Object.hasOwn(value, key)) return `${where}.${key} is missing in ${JSON.stringify(value)}`;
    const problem = mismatch(expected, (value as Record<string, unknown>)[key], bindings, `${where}.${key}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Puts what is bound in the place of the names. */
function fill(pattern: unknown, bindings: Bindings): unknown {
  if (typeof pattern === 'string' && pattern.startsWith('$')) {
    if (!bindings.has(pattern)) throw new Error(`${pattern} is sent before it was bound`);
    return bindings.get(pattern);
  }
  if (Array.isArray(pattern)) return pattern.map((element) => fill(element, bindings));
  if (typeof pattern !== 'object' || pattern === null) return pattern;
  return Object.fromEntries(Object.entries(pattern).map(([key, value]) => [key, fill(value, bindings)]));
}

/** A pattern of the set for every message, in any order; bindings are kept only from an order that fits. */
function setMismatch(patterns: readonly unknown[], messages: readonly unknown[], bindings: Bindings): boolean {
  const [message, ...others] = messages;
  if (messages.length === 0) return false;
  for (const [index, pattern] of patterns.entries()) {
    const tried: Bindings = new Map(bindings);
    if (mismatch(pattern, message, tried) !== undefined) continue;
    if (setMismatch(patterns.toSpliced(index, 1), others, tried)) continue;
    for (const [name, value] of tried) bindings.set(name, value);
    return false;
  }
  return true;
}

export interface Stage {
  readonly realm: string;
  readonly connect: () => Promise<Peer>;
  /** Resolves when nothing is on its way between nodes; for a router that is more than one. */
  readonly settle?: () => Promise<void>;
}

/** Plays a scenario. @throws with the number of the step that went wrong. */
export async function playScenario(scenario: Scenario, { realm, connect, settle }: Stage): Promise<void> {
  const bindings: Bindings = new Map([['$realm', realm]]);
  const clients = new Map<string, Peer>();
  const left = new Set<Peer>();
  try {
    for (const [name, { features = {} }] of Object.entries(scenario.sessions)) {
      const client = await connect();
      clients.set(name, client);
      const roles = Object.fromEntries(ROLES.map((role) => [role, { features: features[role] ?? {} }]));
      bindings.set(`$$${name}`, (await client.hello(realm, { roles })).sessionId);
    }
    for (const [number, step] of scenario.steps.entries()) {
      const client = clients.get(step[0]);
      if (client === undefined) throw new Error(`step ${number} names an unknown session`);
      // Nothing is on its way from anybody any more: whoever has sent something has had an answer behind it.
      if (step[1] === 'silent') {
        await settleAll([...clients.values()].filter((other) => !left.has(other)));
        await settle?.();
      }
      const problem = await playStep(client, step, bindings, left);
      if (problem !== undefined) throw new Error(`step ${number} ${JSON.stringify(step)}: ${problem}`);
    }
  } finally {
    // Scenarios reuse URIs: the next one may start only when the router has taken these sessions away.
    await Promise.all([...clients.values()].map((client) => endSession(client, left)));
    await settle?.();
  }
}

/** After its GOODBYE a session can ask nothing; what answers the next HELLO is behind all that came before. */
async function comesBack(client: Peer, bindings: Bindings, left: Set<Peer>): Promise<void> {
  if (!client.isOpen) return;
  await client.hello(String(bindings.get('$realm')), {});
  left.delete(client);
}

async function settleAll(clients: readonly Peer[]): Promise<void> {
  for (const client of clients) {
    try {
      if (client.isOpen) await client.settle();
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) throw error;
    }
  }
}

async function endSession(client: Peer, left: ReadonlySet<Peer>): Promise<void> {
  try {
    if (client.isOpen && !left.has(client)) await client.leave();
  } catch (error) {
    // The router ended the session first, perhaps for the reason that made the scenario fail: ended is ended.
    if (!(error instanceof ConnectionClosed)) throw error;
  }
  await within(client.drop(), 'end of a session');
}

async function playStep(client: Peer, step: Step, bindings: Bindings, left: Set<Peer>): Promise<string | undefined> {
  switch (step[1]) {
    case 'send':
      client.send(fill(step[2], bindings) as unknown[]);
      return undefined;
    case 'silent':
      await (left.has(client) ? comesBack(client, bindings, left) : client.silent());
      return undefined;
    case 'close':
      await client.drop();
      return undefined;
    case 'expect_any': {
      const messages: unknown[] = [];
      while (messages.length < step[2].length) messages.push(await client.next());
      return setMismatch(step[2], messages, bindings) ? `got ${JSON.stringify(messages)}` : undefined;
    }
    default: {
      const message = await client.next();
      if (message[0] === 3 || message[0] === 6) left.add(client);
      return expectMismatch(step[1], step[2], message, bindings);
    }
  }
}

function expectMismatch(
  op: 'expect' | 'expect_prefix' | 'expect_args0',
  pattern: readonly unknown[],
  message: readonly unknown[],
  bindings: Bindings,
): string | undefined {
  if (op === 'expect') return mismatch(pattern, message, bindings);
  if (op === 'expect_prefix') return prefixMismatch(pattern, message, bindings);
  const [type, subscription, publication, value] = pattern;
  const [, , , , args] = message;
  const firstArg = Array.isArray(args) ? (args[0] as unknown) : undefined;
  return mismatch([type, subscription, publication, value], [...message.slice(0, 3), firstArg], bindings);
}

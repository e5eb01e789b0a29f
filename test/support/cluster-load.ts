/**
 * Load on all nodes of a cluster, while somebody kills nodes and servers: on each node callees of one shared procedure, callers,
 * publishers and subscribers. All come back when their connection ends, to the same node. They note what must not be: a call without an
 * answer, a session id that two of them have, an event twice or behind a later one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Daemon } from './daemon.js';
import { ConnectionClosed, WampClient } from './wamp-client.js';
import type { JoinedClient } from './wamp-client.js';

export const SHARED = 'com.load.shared';
const TOPIC = 'com.load.topic';

/** Between two attempts to come back, and two publications of one publisher. */
const PAUSE_MS = 20;

/** So long a call may take at the most, however busy the machine is. */
const ANSWER_MS = 60_000;

export interface Tally {
  results: number;
  /** Errors of calls, by URI. */
  readonly errors: Map<string, number>;
  /** Calls whose connection ended, which the caller sees. */
  cut: number;
  /** Calls that had no answer though their connection was there. */
  unanswered: number;
  events: number;
  /** Events that a subscriber did not get, between two of one publisher that it got. */
  lost: number;
  /** What must not be. */
  readonly faults: string[];
}

export class ClusterLoad {
  readonly tally: Tally = { results: 0, errors: new Map(), cut: 0, unanswered: 0, events: 0, lost: 0, faults: [] };
  readonly #urls: readonly string[];
  readonly #sessions = new Set<number>();
  /** Those that ask, and those that wait to be asked or told. */
  readonly #asking: Promise<void>[] = [];
  readonly #waiting: Promise<void>[] = [];
  readonly #clients = new Set<WampClient>();
  // client -> what it waits for
  readonly #doing = new WeakMap<WampClient, string>();
  /** How many have their part, by node. */
  readonly #ready: number[];
  #isOver = false;

  private constructor(nodes: readonly Daemon[]) {
    this.#urls = nodes.map((node) => node.url('/ws', 'ws'));
    this.#ready = nodes.map(() => 0);
  }

  /** @param nodes each of which comes back on its port. Resolves when all parts are played on all of them. */
  static async begin(nodes: readonly Daemon[]): Promise<ClusterLoad> {
    const load = new ClusterLoad(nodes);
    for (const index of nodes.keys()) {
      load.#waiting.push(load.#play(index, (client) => load.#callee(client, index)));
      load.#waiting.push(load.#play(index, (client) => load.#subscriber(client, index)));
    }
    for (const index of nodes.keys()) await load.ready(index);
    // Whoever asks begins last: before there is a callee, there is no such procedure.
    for (const index of nodes.keys()) {
      load.#asking.push(load.#play(index, (client) => load.#caller(client)));
      load.#asking.push(load.#play(index, (client) => load.#publisher(client)));
    }
    return load;
  }

  /** Resolves when the callee and the subscriber of a node are there. */
  async ready(index: number): Promise<void> {
    while ((this.#ready[index] ?? 0) < 2) {
      this.#throwFaults();
      await delay(PAUSE_MS);
    }
  }

  /**
   * @returns how many milliseconds each of the next calls takes, on every node but one, and what it was answered: `closed` where the node
   *   told its clients to go (1001), because it had not heard of the others in time.
   */
  async nextCalls(except: number, count = 6): Promise<readonly { readonly ms: number; readonly answer: string }[]> {
    const urls = this.#urls.filter((_url, index) => index !== except);
    const all = await Promise.all(
      urls.map(async (url) => {
        const calls: { ms: number; answer: string }[] = [];
        const begun = performance.now();
        try {
          await callFrom(url, count, calls);
        } catch (error) {
          if (!isToGoElsewhere(error)) throw error;
          calls.push({ ms: performance.now() - begun, answer: CLOSED });
        }
        return calls;
      }),
    );
    return all.flat();
  }

  /** Ends everybody in good order. @throws when something was wrong. */
  async end(): Promise<Tally> {
    this.#isOver = true;
    await Promise.all(this.#asking);
    for (const client of this.#clients) client.send([6, {}, 'wamp.close.normal']);
    await Promise.all(this.#waiting);
    this.#throwFaults();
    return this.tally;
  }

  #throwFaults(): void {
    const { faults } = this.tally;
    if (faults.length > 0) throw new Error(`${faults.length} faults: ${faults.slice(0, 5).join('; ')}`);
  }

  async #play(index: number, part: (client: JoinedClient) => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      const client = await this.#join(index);
      if (client === undefined) await delay(PAUSE_MS);
      else await this.#session(client, part);
    }
  }

  /** @returns undefined while the node lets nobody in. */
  async #join(index: number): Promise<JoinedClient | undefined> {
    try {
      return await WampClient.join(this.#urls[index] ?? '');
    } catch {
      return undefined;
    }
  }

  async #session(client: JoinedClient, part: (client: JoinedClient) => Promise<void>): Promise<void> {
    const { sessionId } = client;
    if (this.#sessions.has(sessionId)) this.tally.faults.push(`two sessions have the id ${sessionId}`);
    this.#sessions.add(sessionId);
    this.#clients.add(client);
    try {
      await part(client);
    } catch (error) {
      // Of a session: which of the parts, and on which node, is told by what it waited for.
      if (!(error instanceof ConnectionClosed))
        this.tally.faults.push(`${this.#doing.get(client) ?? ''}: ${String(error)}`);
    } finally {
      this.#sessions.delete(sessionId);
      this.#clients.delete(client);
    }
    await client.drop();
  }

  async #callee(client: JoinedClient, index: number): Promise<void> {
    if (!(await this.#asked(client, [64, 1, { invoke: 'roundrobin' }, SHARED], 65))) return;
    await this.#whileReady(index, async () => {
      for (let message = await next(client); message[0] !== 6; message = await next(client)) {
        if (message[0] === 68) client.send([70, message[1], {}, [index]]);
      }
    });
  }

  async #caller(client: JoinedClient): Promise<void> {
    const { errors } = this.tally;
    for (let request = 1; !this.#isOver; request++) {
      client.send([48, request, {}, SHARED]);
      this.#doing.set(client, `call ${request} of session ${client.sessionId}`);
      const answer = await this.#answerTo(client);
      if (answer === undefined) return;
      if (answer[0] === 50) this.tally.results += 1;
      else errors.set(String(answer[4]), (errors.get(String(answer[4])) ?? 0) + 1);
    }
  }

  /** @returns undefined when the session or its connection has ended. */
  async #answerTo(client: JoinedClient): Promise<unknown[] | undefined> {
    try {
      const answer = await client.next(ANSWER_MS);
      if (answer[0] !== 6) return answer;
      // Nobody leaves while a call is open, but at the end.
      if (!this.#isOver) this.tally.cut += 1;
      return undefined;
    } catch (error) {
      if (error instanceof ConnectionClosed) this.tally.cut += 1;
      else this.tally.unanswered += 1;
      throw error;
    }
  }

  async #publisher(client: JoinedClient): Promise<void> {
    for (let request = 1; !this.#isOver; request++) {
      const args = [client.sessionId, request];
      this.#doing.set(client, `publication ${request} of session ${client.sessionId}`);
      const answer = await client.ask([16, request, { acknowledge: true }, TOPIC, args]);
      if (answer[0] === 6) return;
      await delay(PAUSE_MS);
    }
  }

  async #subscriber(client: JoinedClient, index: number): Promise<void> {
    if (!(await this.#asked(client, [32, 1, {}, TOPIC], 33))) return;
    // publisher -> its last event
    const last = new Map<unknown, number>();
    await this.#whileReady(index, async () => {
      for (let message = await next(client); message[0] !== 6; message = await next(client)) {
        if (message[0] === 36 && Array.isArray(message[4])) this.#event(last, message[4]);
      }
    });
  }

  #event(last: Map<unknown, number>, [publisher, number]: readonly unknown[]): void {
    const before = last.get(publisher);
    const { tally } = this;
    if (before !== undefined && Number(number) <= before)
      tally.faults.push(`event ${String(number)} of ${String(publisher)} came behind ${before}`);
    tally.events += 1;
    tally.lost += Math.max(0, Number(number) - (before ?? Number(number) - 1) - 1);
    last.set(publisher, Number(number));
  }

  /** @returns whether the answer is the one that is wanted: a node without NATS refuses. */
  async #asked(client: JoinedClient, question: readonly unknown[], wanted: number): Promise<boolean> {
    this.#doing.set(client, `${JSON.stringify(question)} of session ${client.sessionId}`);
    const [type, ...rest] = await client.ask(question);
    if (type === wanted) return true;
    const refused = type === 8 && rest[3] === 'wamp.error.unavailable';
    if (!refused && type !== 6) this.tally.faults.push(`answered with ${JSON.stringify([type, ...rest])}`);
    await delay(PAUSE_MS);
    return false;
  }

  async #whileReady(index: number, part: () => Promise<void>): Promise<void> {
    this.#ready[index] = (this.#ready[index] ?? 0) + 1;
    try {
      await part();
    } finally {
      this.#ready[index] = (this.#ready[index] ?? 0) - 1;
    }
  }
}

/** What a call is answered on a connection that its node ends because it is not in the cluster any more: with 1001, which is "going away". */
export const CLOSED = 'closed';

/** Joins, calls so many times, and leaves. @param calls gets how long each took, and what it was answered */
async function callFrom(url: string, count: number, calls: { ms: number; answer: string }[]): Promise<void> {
  const client = await WampClient.join(url);
  for (let request = 1; request <= count; request++) {
    const begun = performance.now();
    const [type, ...rest] = await client.ask([48, request, {}, SHARED]);
    calls.push({ ms: performance.now() - begun, answer: type === 50 ? 'result' : String(rest[3]) });
  }
  await client.leave();
}

function isToGoElsewhere(error: unknown): boolean {
  return error instanceof ConnectionClosed && error.info.code === 1001;
}

/** The next message, however long it takes: nobody may call, or publish. */
function next(client: JoinedClient): Promise<unknown[]> {
  return client.next(2 ** 31 - 1);
}

/**
 * Somebody on a node who sees who else is there, and whom others call. It connects to the node itself, whatever stands in front of it, and
 * does not come back.
 */
import { once, EventEmitter } from 'node:events';
import autobahn from 'autobahn';
import type { Daemon } from './daemon.js';
import { PROCEDURE } from './crowds.js';
import type { Crowd } from './crowds.js';

export class Insider {
  readonly #session: autobahn.Session;
  readonly #connection: autobahn.Connection;
  readonly #calls: (() => void)[] = [];
  readonly #news = new EventEmitter();

  private constructor(connection: autobahn.Connection, session: autobahn.Session) {
    this.#connection = connection;
    this.#session = session;
  }

  static async join(daemon: Daemon): Promise<Insider> {
    const url = daemon.url('/ws', 'ws');
    const connection = new autobahn.Connection({ realm: 'realm1', url, max_retries: 0, use_es6_promises: true });
    const session = await new Promise<autobahn.Session>((resolve, reject) => {
      connection.onopen = resolve;
      connection.onclose = (reason) => {
        reject(new Error(`the session with ${url} ended: ${reason}`));
        return true;
      };
      connection.open();
    });
    const insider = new Insider(connection, session);
    const tell = (): void => void insider.#news.emit('news');
    for (const name of ['on_create', 'on_subscribe']) await session.subscribe(`wamp.subscription.${name}`, tell);
    await session.register(PROCEDURE, () => {
      tell();
      return new Promise<void>((resolve) => insider.#calls.push(resolve));
    });
    return insider;
  }

  /** How many calls are not answered. */
  get calls(): number {
    return this.#calls.length;
  }

  /** Answers all calls but so many. */
  answerAllBut(count: number): void {
    for (const answer of this.#calls.splice(count)) answer();
  }

  /** Tells the members of a crowd. */
  async publish(topic: string, value: unknown): Promise<void> {
    await this.#session.publish(topic, [value], {}, { acknowledge: true });
  }

  async subscribers(topic: string): Promise<number> {
    const id = await this.#session.call('wamp.subscription.lookup', [topic]);
    return id === null ? 0 : Number(await this.#session.call('wamp.subscription.count_subscribers', [id]));
  }

  /** @returns the `authid` of each other session. */
  async authids(): Promise<readonly string[]> {
    const ids = (await this.#session.call('wamp.session.list')) as readonly number[];
    const others = ids.filter((id) => id !== this.#session.id);
    const details = await Promise.all(others.map((id) => this.#session.call('wamp.session.get', [id])));
    return details.map((each) => (each as { authid: string }).authid);
  }

  leave(): void {
    this.#connection.close();
  }

  /** Resolves when one of them has been called, or somebody subscribed on its node. */
  static async news(insiders: readonly Insider[]): Promise<void> {
    const over = new AbortController();
    const { signal } = over;
    await Promise.race(insiders.map((insider) => once(insider.#news, 'news', { signal }).catch(() => undefined)));
    over.abort();
  }
}

/**
 * Waits until each crowd is there as a whole, on all nodes together.
 *
 * @returns when each of them was, in milliseconds of `performance.now()`
 * @throws Error when there are more than belong to it: somebody is there twice.
 */
export async function allThere(insiders: readonly Insider[], crowds: readonly Crowd[]): Promise<Map<Crowd, number>> {
  const times = new Map<Crowd, number>();
  for (;;) {
    const news = Insider.news(insiders);
    for (const crowd of crowds.filter((each) => !times.has(each))) {
      const counts = await Promise.all(insiders.map((insider) => insider.subscribers(crowd.topic)));
      const count = counts.reduce((sum, each) => sum + each, 0);
      if (count > crowd.size) throw new Error(`${count} subscriptions of ${crowd.size} clients: ${crowd.name}`);
      if (count === crowd.size) times.set(crowd, performance.now());
    }
    if (times.size === crowds.length) return times;
    await news;
  }
}

/** Has everybody call, on these nodes. Resolves when all calls have come, with how many there are. */
export async function allCall(insiders: readonly Insider[], crowds: readonly Crowd[]): Promise<number> {
  let expected = 0;
  for (const insider of insiders) {
    for (const { topic } of crowds) {
      expected += await insider.subscribers(topic);
      await insider.publish(topic, 'call');
    }
  }
  for (;;) {
    const news = Insider.news(insiders);
    if (insiders.reduce((sum, { calls }) => sum + calls, 0) >= expected) return expected;
    await news;
  }
}

/** Three nodes stop and start one after the other, with clients of autobahn-js that come back: all are back, and each call has an answer. */
import autobahn from 'autobahn';
import { afterEach, expect } from 'vitest';
import type { Daemon } from '../../support/daemon.js';
import { hasNats } from '../../support/nats.js';
import { itNeeds } from '../../support/needs.js';
import { LOOPBACK, nodeConfig } from '../../support/node-config.js';
import { PATIENT, Settler, ThreeNodes } from '../../support/three-nodes.js';

const EACH = 5;
const PROCEDURE = 'com.example.add';
const TOPIC = 'com.example.topic';

// It tells of every connection that it lost.
autobahn.log.warn = () => undefined;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A page, as autobahn-js has it come back: a callee, a subscriber, and a caller that always waits for one answer. */
class Page {
  results = 0;
  /** What calls that were refused, or lost with their connection, ended with. */
  readonly errors: string[] = [];
  readonly heard = new Set<unknown>();
  /** How often it joined. */
  joined = 0;
  isThere = false;
  readonly #connection: autobahn.Connection;
  #isOver = false;
  /** Calls that have neither a result nor an error. */
  open = 0;

  constructor(url: string) {
    const connection = new autobahn.Connection({
      url,
      realm: 'realm1',
      ...{ max_retries: -1, initial_retry_delay: 0.1, max_retry_delay: 0.2, use_es6_promises: true },
    });
    connection.onopen = (session) => void this.#play(session).catch((error: unknown) => this.#failed(error));
    connection.onclose = () => {
      this.isThere = false;
      return this.#isOver;
    };
    this.#connection = connection;
    connection.open();
  }

  leave(): void {
    this.#isOver = true;
    this.#connection.close();
  }

  async #play(session: autobahn.Session): Promise<void> {
    await session.register(PROCEDURE, ([a, b]: unknown[]) => Number(a) + Number(b), { invoke: 'roundrobin' });
    await session.subscribe(TOPIC, ([value]: unknown[]) => void this.heard.add(value));
    this.joined += 1;
    this.isThere = true;
    while (session.isOpen && !this.#isOver) {
      this.open += 1;
      try {
        expect(await session.call(PROCEDURE, [2, 3])).toBe(5);
        this.results += 1;
      } catch (error) {
        this.#failed(error);
      } finally {
        this.open -= 1;
      }
    }
  }

  #failed(error: unknown): void {
    this.errors.push(String((error as { error?: unknown }).error ?? error));
  }
}

itNeeds('nats-server', hasNats)(
  'a rolling restart of three nodes loses nobody, and no call',
  async () => {
    const config = nodeConfig({ transport: { endpoint: { ...LOOPBACK, port: '$PORT' } } });
    const cluster = await ThreeNodes.start(config, { timings: PATIENT });
    ends.push(() => cluster.dispose());
    const pages = cluster.nodes.flatMap((node) => Array.from({ length: EACH }, () => new Page(node.url('/ws', 'ws'))));
    ends.push(() => pages.forEach((page) => page.leave()));
    const allThere = () => expect.poll(() => pages.filter(({ isThere }) => isThere).length).toBe(pages.length);
    await allThere();
    for (const index of cluster.nodes.keys()) {
      expect(await cluster.node(index).stop()).toBe(0);
      const before = pages.map(({ results }) => results);
      // The others go on meanwhile.
      const stay = pages.filter((_page, number) => Math.floor(number / EACH) !== index);
      await expect.poll(() => stay.every((page) => page.results > (before[pages.indexOf(page)] ?? 0))).toBe(true);
      await cluster.restart(index);
      await allThere();
    }
    const settler = await Settler.join(cluster.nodes);
    await publish(cluster.node(0), 'the end');
    await settler.settle();
    await expect.poll(() => pages.every(({ heard }) => heard.has('the end'))).toBe(true);
    for (const page of pages) page.leave();
    await expect.poll(() => pages.reduce((sum, { open }) => sum + open, 0)).toBe(0);

    // One restart each; what was with the node that ended is told so, and what surely reached nobody went to another callee.
    expect(pages.map(({ joined }) => joined)).toEqual(pages.map(() => 2));
    const errors = pages.flatMap((page) => page.errors);
    process.stdout.write(
      `${pages.reduce((sum, { results }) => sum + results, 0)} results, errors: ${JSON.stringify(counted(errors))}\n`,
    );
  },
  120_000,
);

function counted(list: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const each of list) counts[each] = (counts[each] ?? 0) + 1;
  return counts;
}

async function publish(node: Daemon, value: unknown): Promise<void> {
  const page = new autobahn.Connection({
    url: node.url('/ws', 'ws'),
    realm: 'realm1',
    max_retries: 0,
    use_es6_promises: true,
  });
  const session = await new Promise<autobahn.Session>((resolve) => {
    page.onopen = resolve;
    page.open();
  });
  await session.publish(TOPIC, [value], {}, { acknowledge: true });
  page.close();
}

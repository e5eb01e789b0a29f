/**
 * kill -9 of fronts under load, one after the other. Clients of the other front notice nothing; who was called on the killed one is
 * answered for; everybody hears of those who are gone, by their testaments, too; they come in again, and a browser that was told that it is
 * logged in or out is so.
 */
import { afterEach, expect, it } from 'vitest';
import { isRouterSocket } from '../../support/behind-fronts.js';
import { ClusterLoad } from '../../support/cluster-load.js';
import { putBehindFronts, startDaemon } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { clientPortsAt, frontAgain, frontsOf, ownPort } from '../../support/front-processes.js';
import { LoginLoad, loginPath } from '../../support/login-load.js';
import { nodeConfig } from '../../support/node-config.js';
import { RawSocketClient } from '../../support/rawsocket-client.js';
import { ALL_ROLES, WampClient } from '../../support/wamp-client.js';
import type { JoinedClient } from '../../support/wamp-client.js';

/** How often a front is killed. */
const ROUNDS = Number(process.env['FRONT_ROUNDS'] ?? '3');
/** Four clients of the load are one place each; the guests are known by their fronts. */
const PLACES = 45;
const GUESTS = 20;
/** At the most so many calls are answered before the next front is killed. */
const CALLS_BETWEEN = 400;

const TESTAMENT = 'com.load.testament';
const ECHO = 'com.load.shared';

/** Nobody knows whether a callee that dies was called; all callees may have been on one front. */
const MAY_BE = ['wamp.error.canceled', 'wamp.error.no_available_callee', 'wamp.error.no_such_procedure'];

let daemon: Daemon | undefined;
afterEach(async () => {
  await daemon?.dispose();
  daemon = undefined;
});

/** Who is at the router itself, and hears of everybody that leaves. */
class Witness {
  readonly left = new Set<unknown>();
  readonly testaments = new Set<unknown>();
  readonly #client: RawSocketClient;

  private constructor(client: RawSocketClient) {
    this.#client = client;
  }

  static async at(node: Daemon): Promise<Witness> {
    const own = node.logs.find(({ msg, address }) => msg === 'transport started' && isRouterSocket(address));
    const client = await RawSocketClient.connect({ path: String(own?.['address']) }, { serializer: 'json' });
    client.send([1, 'realm1', { roles: ALL_ROLES }]);
    expect((await client.next())[0]).toBe(2);
    for (const [request, topic] of [TESTAMENT, 'wamp.session.on_leave'].entries()) {
      client.send([32, request + 1, {}, topic]);
    }
    const subscriptions = [(await client.next())[2], (await client.next())[2]];
    const witness = new Witness(client);
    void witness.#listen(subscriptions[0]);
    return witness;
  }

  async #listen(testaments: unknown): Promise<void> {
    for (;;) {
      const message = await this.#client.next(2 ** 31 - 1).catch(() => undefined);
      if (message === undefined) return;
      const [who] = message[4] as unknown[];
      (message[1] === testaments ? this.testaments : this.left).add(who);
    }
  }
}

/** Guests of both fronts: who is missing comes, until each front has at least one. */
async function fill(node: Daemon, guests: Set<JoinedClient>): Promise<void> {
  const isAtAll = (): boolean => frontsOf(node).every(({ pid }) => at(node, pid, guests).length > 0);
  while (guests.size < GUESTS || !isAtAll()) {
    const guest = await WampClient.join(node.url('/ws', 'ws'));
    const will = [48, 1, {}, 'wamp.session.add_testament', [TESTAMENT, [guest.sessionId], {}]];
    expect((await guest.ask(will))[0]).toBe(50);
    guests.add(guest);
  }
}

function at(node: Daemon, pid: number, guests: Iterable<JoinedClient>): readonly JoinedClient[] {
  const ports = clientPortsAt(pid, node.port);
  return [...guests].filter((guest) => ports.has(ownPort(guest)));
}

/** A client whose front lives is there, and answered. */
async function serves(guest: JoinedClient, request: number): Promise<string> {
  const [type, ...rest] = await guest.ask([48, request, {}, ECHO]);
  return type === 50 ? 'result' : String(rest[3]);
}

async function killOne(node: Daemon, round: number, guests: Set<JoinedClient>, witness: Witness): Promise<void> {
  await fill(node, guests);
  const all = frontsOf(node);
  const victim = all[round % all.length];
  if (victim === undefined) throw new Error('there are no fronts');
  const dying = at(node, victim.pid, guests);
  const others = [...guests].filter((guest) => !dying.includes(guest));
  expect(others.length).toBeGreaterThan(0);
  process.kill(victim.pid, 'SIGKILL');
  const answers = await Promise.all(others.map((guest) => serves(guest, round + 2)));
  expect(answers.filter((answer) => answer !== 'result' && !MAY_BE.includes(answer))).toEqual([]);
  await Promise.all(dying.map((guest) => guest.closed));
  for (const { sessionId } of dying) {
    await expect.poll(() => [witness.left.has(sessionId), witness.testaments.has(sessionId)]).toEqual([true, true]);
  }
  await frontAgain(node, victim);
  expect(others.filter(({ isOpen }) => !isOpen)).toEqual([]);
  expect(others.filter(({ sessionId }) => witness.left.has(sessionId))).toEqual([]);
  for (const guest of dying) guests.delete(guest);
  // Which has to take connections again.
  await fill(node, guests);
}

it(
  'fronts that die under load take nobody along but their own clients, who come back',
  async () => {
    putBehindFronts();
    const config = nodeConfig({ paths: { browser: loginPath({ type: 'file', filename: 'cookies' }) } });
    const node = (daemon = await startDaemon({ config }));
    const witness = await Witness.at(node);
    const load = await ClusterLoad.begin(Array.from({ length: PLACES }, () => node));
    const logins = new LoginLoad([node, node], '/browser');
    const guests = new Set<JoinedClient>();
    for (let round = 0; round < ROUNDS; round++) {
      const due = load.tally.results + Math.floor(Math.random() * CALLS_BETWEEN);
      await expect.poll(() => load.tally.results, { interval: 1 }).toBeGreaterThanOrEqual(due);
      await killOne(node, round, guests, witness);
      for (let place = 0; place < PLACES; place++) await load.ready(place);
    }
    const { broken, ...browsers } = await logins.end();
    const tally = await load.end();
    process.stdout.write(`${JSON.stringify({ ...browsers, ...tally, errors: [...tally.errors] })}\n`);
    expect([...tally.errors.keys()].filter((uri) => !MAY_BE.includes(uri))).toEqual([]);
    expect(tally).toMatchObject({ unanswered: 0, faults: [], lost: 0 });
    expect(tally.results).toBeGreaterThan(0);
    expect(tally.events).toBeGreaterThan(0);
    expect(broken).toEqual([]);
    expect(browsers.logins).toBeGreaterThan(0);
    expect(node.logs.filter(({ level, msg }) => level === 'error' && msg !== 'front is gone')).toEqual([]);
    for (const guest of guests) await guest.drop();
    expect(await node.stop()).toBe(0);
  },
  120_000 + ROUNDS * 30_000,
);

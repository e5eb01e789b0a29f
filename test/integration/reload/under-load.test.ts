/**
 * A hundred reloads, each of which changes something, while clients publish, subscribe, call, come and go: no message is lost, doubled or
 * out of order, no request stays without an answer, and nothing of the configs before is left.
 */
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reloadNode } from '../../../src/node/commands.js';
import {
  AT_TIMES,
  certificateAt,
  configAt,
  isOther,
  ServedCertificates,
  ticketAt,
  valueAt,
} from '../../support/changing-node.js';
import { HAS_OPENSSL } from '../../support/certificates.js';
import { nodeDirectory, startDaemon, temporaryDirectory } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { bytesOf, grown, kindsOf } from '../../support/heap-kinds.js';
import type { Kinds } from '../../support/heap-kinds.js';
import { LongPollClient } from '../../support/long-poll-client.js';
import { describeNeeds } from '../../support/needs.js';
import { RawSocketClient } from '../../support/rawsocket-client.js';
import { ALL_ROLES, WampClient } from '../../support/wamp-client.js';

const RELOADS = 100;
/** What the node makes once, it has made by then. The config is the one of {@link RELOADS} again. */
const WARM = 40;
/** Sessions that are there all the time, and do nothing. */
const IDLE = 60;
/**
 * A leak of one object for each reload makes twice as many of one kind, and one for each reload and session {@link IDLE} times as many
 * again. Timers, and arrays of Node.js for its streams, make up to 15.
 */
const FEW = (RELOADS - WARM) / 2;
/** In bytes: what V8 sets up for code that it compiles. A leak of 1.1 KB for each reload is more. */
const MAX_GROWTH = 64 * 1024;
const TOPIC = 'com.load.topic';
const ECHO = 'com.load.echo';

type Client = Pick<WampClient, 'send' | 'next' | 'ask'>;

let daemon: Daemon;
let certificates: ServedCertificates;
beforeAll(async () => {
  const cbdir = nodeDirectory(configAt(0));
  certificates = new ServedCertificates(cbdir);
  daemon = await startDaemon({ cbdir, probed: true });
});
afterAll(() => daemon.dispose());

const portOf = (transport: string): number =>
  daemon.listening().find((record) => record['transport'] === transport)?.['port'] as number;

/** The clients that work while the node changes. */
class Load {
  over = false;
  published = 0;
  called = 0;
  visits = 0;
  readonly #work: Promise<void>[] = [];

  run(work: (step: () => boolean) => Promise<void>): void {
    const running = work(() => !this.over);
    running.catch(() => undefined);
    this.#work.push(running);
  }

  /** Waits until each has ended what it had begun. @throws what went wrong. */
  async end(): Promise<void> {
    this.over = true;
    await Promise.all(this.#work);
  }
}

/** Publishes numbers, each when the one before was acknowledged. @throws when one is not. */
async function publishAll(client: Client, load: Load, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    const id = load.published + 1;
    const answer = await client.ask([16, id, { acknowledge: true }, TOPIC, [id]]);
    expect(answer).toMatchObject([17, id, expect.any(Number)]);
    load.published = id;
  }
}

async function callAll(client: Client, load: Load, goesOn: () => boolean): Promise<void> {
  for (let id = 1; goesOn(); id += 1) {
    expect(await client.ask([48, id, {}, ECHO, [id]])).toEqual([50, id, {}, [id]]);
    load.called += 1;
  }
}

/** Answers each call with what it was called with, as long as there are any. */
async function echoAll(client: Client): Promise<void> {
  for (;;) {
    const [type, id, , , args] = await client.next();
    if (type !== 68) throw new Error(`the callee got ${String(type)}`);
    client.send([70, id, {}, args]);
  }
}

/** A subscriber: what it got, in order. */
async function collect(client: Client): Promise<number[]> {
  const [type, , subscription] = await client.ask([32, 1, {}, TOPIC]);
  expect(type).toBe(33);
  const got: number[] = [];
  void (async () => {
    for (;;) {
      const [kind, of, , , args] = await client.next();
      got.push(kind === 36 && of === subscription ? ((args as number[])[0] ?? NaN) : NaN);
    }
  })().catch(() => undefined);
  return got;
}

/** What a browser keeps from visit to visit. */
interface Browser {
  cookie: string;
}

/** Comes, asks for this and that, and goes; every third time without a word. */
async function comeAndGo(load: Load, browser: Browser, goesOn: () => boolean): Promise<void> {
  for (let visit = 0; goesOn(); visit += 1) {
    const isTracked = visit % 3 === 1;
    const client = await WampClient.join(daemon.url(isTracked ? '/tracked' : '/ws', 'ws'), 'realm1', {
      headers: { cookie: browser.cookie },
    });
    // A browser that is known stays known, whatever becomes of the config: each new cookie would be kept.
    if (isTracked && browser.cookie !== '') expect(client.handshake.setCookie).toEqual([]);
    if (isTracked && browser.cookie === '') [browser.cookie = ''] = client.handshake.setCookie[0]?.split(';') ?? [];
    const topic = `com.load.visit-${String(visit % 7)}`;
    expect(await client.ask([32, 1, {}, topic])).toMatchObject([33, 1, expect.any(Number)]);
    expect(await client.ask([64, 2, {}, `${topic}.${String(client.sessionId)}`])).toMatchObject([
      65,
      2,
      expect.any(Number),
    ]);
    expect(await client.ask([48, 3, {}, ECHO, [visit]])).toEqual([50, 3, {}, [visit]]);
    if (visit % 3 === 0) await client.drop();
    else await client.leave();
    load.visits += 1;
  }
}

/** On a connection of its own: one that is kept would be there, or not, when it is counted what is left. */
async function fetchedValue(): Promise<unknown> {
  const [response] = (await once(get(daemon.url('/value'), { agent: false }), 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  return json(response);
}

async function fetchAll(goesOn: () => boolean): Promise<void> {
  while (goesOn()) expect([valueAt(0), valueAt(2)]).toContain(await fetchedValue());
}

function servedName(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port: portOf('secure'), host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const { CN } = socket.getPeerCertificate().subject;
      socket.end();
      resolve(String(CN));
    });
    socket.once('error', reject);
  });
}

/** Whether what the config says now holds for those who come, and for those who are there. */
async function expectStep(step: number, somebody: Client): Promise<void> {
  const published = await somebody.ask([16, 1000 + step, { acknowledge: true }, AT_TIMES]);
  expect(published[0]).toBe(isOther(0, step) ? 17 : 8);
  expect(await fetchedValue()).toBe(valueAt(step));
  expect(await servedName()).toBe(certificateAt(step));
  const user = await WampClient.connect(daemon.url('/auth', 'ws'));
  await user.ask([1, 'realm1', { roles: ALL_ROLES, authmethods: ['ticket'], authid: 'user' }]);
  expect(await user.ask([5, ticketAt(step), {}])).toMatchObject([2, expect.any(Number), { authrole: 'user' }]);
  await user.leave();
}

interface Left {
  readonly files: number;
  readonly kinds: Kinds;
  readonly resources: Readonly<Record<string, number>>;
}

/**
 * What the node has, when nobody is there but those who were all the time.
 * @param most how many files it has open then.
 */
async function left(somebody: Client, sessions: number, most = sessions + 60): Promise<Left> {
  const count = async (): Promise<unknown> =>
    ((await somebody.ask([48, 7, {}, 'wamp.session.count']))[3] as unknown[])[0];
  await expect.poll(count, { timeout: 30_000 }).toBe(sessions);
  // A connection that is closed is gone a moment later.
  const files = (): number => readdirSync(`/proc/${String(daemon.pid)}/fd`).length;
  await expect.poll(files, { timeout: 30_000 }).toBeLessThanOrEqual(most);
  const file = path.join(temporaryDirectory(), 'left.heapsnapshot');
  await daemon.ask('snapshot', { file });
  return { files: files(), kinds: kindsOf(file), resources: await daemon.ask('resources') };
}

const growth = (
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
  least: number,
): object => Object.fromEntries(Object.entries(other).filter(([name, count]) => count - (one[name] ?? 0) >= least));

describeNeeds('Linux, openssl', process.platform === 'linux' && HAS_OPENSSL)('a hundred reloads under load', () => {
  it('lose, double and leave nothing', async () => {
    const load = new Load();
    const join = (): ReturnType<typeof WampClient.join> => WampClient.join(daemon.url('/ws', 'ws'));
    const idle = await Promise.all(
      Array.from({ length: IDLE }, (_, index) =>
        WampClient.join(daemon.url(index % 3 === 0 ? '/tracked' : '/ws', 'ws')),
      ),
    );
    for (const client of idle) expect((await client.ask([32, 1, {}, 'com.load.idle']))[0]).toBe(33);
    const [publisher, caller, callee, somebody] = [await join(), await join(), await join(), await join()];
    const secure = await WampClient.join(`wss://127.0.0.1:${String(portOf('secure'))}/ws`, 'realm1', {
      tls: { rejectUnauthorized: false },
    });
    const raw = await RawSocketClient.join({ port: portOf('raw') }, 'realm1');
    const poll = await LongPollClient.connect({ port: daemon.port, path: '/lp', batched: true });
    await poll.hello();
    const subscribers = await Promise.all([await join(), secure, raw, poll].map((client) => collect(client)));
    expect((await callee.ask([64, 1, {}, ECHO]))[0]).toBe(65);
    void echoAll(callee).catch(() => undefined);
    const lasting = IDLE + 8;

    const visitors = new Load();
    const browsers = [{ cookie: '' }, { cookie: '' }];
    const begin = (): void => {
      visitors.over = false;
      for (const browser of browsers) visitors.run((goesOn) => comeAndGo(visitors, browser, goesOn));
      visitors.run((goesOn) => fetchAll(goesOn));
    };
    load.run((goesOn) => publishAll(publisher, load, goesOn));
    load.run((goesOn) => callAll(caller, load, goesOn));
    begin();

    let before: Left | undefined;
    for (let step = 1; step <= RELOADS; step += 1) {
      certificates.serve(step);
      writeFileSync(path.join(daemon.cbdir, 'config.json'), JSON.stringify(configAt(step)));
      const report = await reloadNode({ cbdir: daemon.cbdir });
      expect(report).toMatchObject({ ok: true, problems: [], pending: [] });
      expect((report?.changes.length ?? 0) > 0 || step % 10 === 5).toBe(true);
      await expectStep(step, somebody);
      if (step !== WARM) continue;
      await visitors.end();
      // The first look makes something that stays: the code of the looks.
      await left(somebody, lasting);
      before = await left(somebody, lasting);
      begin();
    }
    await visitors.end();
    await load.end();

    const all = Array.from({ length: load.published }, (_, index) => index + 1);
    expect(Math.min(load.published, load.called, visitors.visits)).toBeGreaterThan(RELOADS);
    for (const got of subscribers) {
      await expect.poll(() => got.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(all.length);
      expect(got).toEqual(all);
    }

    if (before === undefined) throw new Error('nothing was measured');
    const { files, kinds, resources } = before;
    // Timers of connections that have ended go when they are due: what leaks stays.
    const surplus = async (): Promise<unknown> => {
      const after = await left(somebody, lasting, files + 2);
      const bytes = bytesOf(after.kinds) - bytesOf(kinds);
      return [grown(kinds, after.kinds, FEW), growth(resources, after.resources, 3), Math.max(bytes, MAX_GROWTH)];
    };
    await expect.poll(surplus, { timeout: 60_000, interval: 3000 }).toEqual([[], {}, MAX_GROWTH]);
    expect(daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    for (const client of [...idle, publisher, caller, callee, somebody, secure]) await client.drop();
    await poll.close();
    await raw.close();
  }, 400_000);
});

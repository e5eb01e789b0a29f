/**
 * A hundred reloads, each of which changes something, while clients publish, subscribe, call, come and go: no message is lost, doubled or
 * out of order, no request stays without an answer, and nothing of the configs before is left.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
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
import { nodeDirectory, startDaemon } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { LongPollClient } from '../../support/long-poll-client.js';
import { describeNeeds } from '../../support/needs.js';
import { RawSocketClient } from '../../support/rawsocket-client.js';
import { ALL_ROLES, WampClient } from '../../support/wamp-client.js';

const RELOADS = 100;
/** What the node makes once, it has made by then. The config is the one of {@link RELOADS} again. */
const WARM = 20;
/** Sessions that are there all the time, and do nothing. */
const IDLE = 60;
/** A leak of one object for each reload makes so many of one kind; one for each reload and session {@link IDLE} times as many. */
const FEW = (RELOADS - WARM) / 4;
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

/** Comes, asks for this and that, and goes; every third time without a word. */
async function comeAndGo(load: Load, goesOn: () => boolean): Promise<void> {
  let cookie = '';
  for (let visit = 0; goesOn(); visit += 1) {
    const isTracked = visit % 3 === 1;
    const client = await WampClient.join(daemon.url(isTracked ? '/tracked' : '/ws', 'ws'), 'realm1', {
      headers: { cookie },
    });
    // A browser that is known stays known, whatever becomes of the config: each new cookie would be kept.
    if (isTracked && cookie !== '') expect(client.handshake.setCookie).toEqual([]);
    if (isTracked && cookie === '') [cookie = ''] = client.handshake.setCookie[0]?.split(';') ?? [];
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

async function fetchAll(goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    const response = await fetch(daemon.url('/value'));
    expect([200, [valueAt(0), valueAt(2)].includes((await response.json()) as string)]).toEqual([200, true]);
  }
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
  expect(await (await fetch(daemon.url('/value'))).json()).toBe(valueAt(step));
  expect(await servedName()).toBe(certificateAt(step));
  const user = await WampClient.connect(daemon.url('/auth', 'ws'));
  await user.ask([1, 'realm1', { roles: ALL_ROLES, authmethods: ['ticket'], authid: 'user' }]);
  expect(await user.ask([5, ticketAt(step), {}])).toMatchObject([2, expect.any(Number), { authrole: 'user' }]);
  await user.leave();
}

interface Left {
  readonly heap: number;
  readonly files: number;
  readonly classes: Readonly<Record<string, number>>;
  readonly resources: Readonly<Record<string, number>>;
}

/** What the node has, when nobody is there but those who were all the time. */
async function left(somebody: Client, sessions: number): Promise<Left> {
  const count = async (): Promise<unknown> =>
    ((await somebody.ask([48, 7, {}, 'wamp.session.count']))[3] as unknown[])[0];
  await expect.poll(count, { timeout: 30_000 }).toBe(sessions);
  // A connection that is closed is gone a moment later.
  const files = (): number => readdirSync(`/proc/${String(daemon.pid)}/fd`).length;
  await expect.poll(files, { timeout: 30_000 }).toBeLessThan(sessions + 60);
  // First, because it loads the inspector.
  const { heapUsed } = await daemon.ask<{ heapUsed: number }>('memory');
  const classes = await daemon.ask<Record<string, number>>('census');
  return { heap: heapUsed, files: files(), classes, resources: await daemon.ask('resources') };
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
    const begin = (): void => {
      visitors.over = false;
      for (let n = 0; n < 2; n += 1) visitors.run((goesOn) => comeAndGo(visitors, goesOn));
      visitors.run((goesOn) => fetchAll(goesOn));
    };
    load.run((goesOn) => publishAll(publisher, load, goesOn));
    load.run((goesOn) => callAll(caller, load, goesOn));
    begin();

    let [before, after]: (Left | undefined)[] = [];
    for (let step = 1; step <= RELOADS; step += 1) {
      certificates.serve(step);
      writeFileSync(path.join(daemon.cbdir, 'config.json'), JSON.stringify(configAt(step)));
      const report = await reloadNode({ cbdir: daemon.cbdir });
      expect(report).toMatchObject({ ok: true, problems: [], pending: [] });
      expect((report?.changes.length ?? 0) > 0 || step % 10 === 5).toBe(true);
      await expectStep(step, somebody);
      if (step !== WARM && step !== RELOADS) continue;
      await visitors.end();
      // The first look makes something that stays: the inspector, and the streams of snapshots.
      if (step === WARM) await left(somebody, lasting);
      const now = await left(somebody, lasting);
      if (step === WARM) [before] = [now];
      else after = now;
      if (step === WARM) begin();
    }
    await load.end();

    const all = Array.from({ length: load.published }, (_, index) => index + 1);
    expect(Math.min(load.published, load.called, visitors.visits)).toBeGreaterThan(RELOADS);
    for (const got of subscribers) {
      await expect.poll(() => got.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(all.length);
      expect(got).toEqual(all);
    }

    if (before === undefined || after === undefined) throw new Error('nothing was measured');
    // Plain objects have no name: what they belong to has.
    const { Object: plain = 0 } = before.classes;
    expect(growth(before.classes, { ...after.classes, Object: plain }, FEW)).toEqual({});
    expect(growth(before.resources, after.resources, 3)).toEqual({});
    expect(after.files - before.files).toBeLessThan(3);
    // Some 6,000 plain objects come once, however many reloads follow: half of this.
    expect(after.heap - before.heap).toBeLessThan(1024 * 1024);
    expect(daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    for (const client of [...idle, publisher, caller, callee, somebody, secure]) await client.drop();
    await poll.close();
    await raw.close();
  }, 300_000);
});

/**
 * Whoever copies one of our examples gives nobody's cookie away: on each of them a visitor gets his cookies and does what
 * visitors do, and a stranger on another connection tries everything that could tell him a cookie's id. An example that lets
 * neither of them in has to say why, below.
 */
import { cpSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HAS_OPENSSL } from '../support/certificates.js';
import type { Certificates } from '../support/certificates.js';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import {
  allExamples,
  EXAMPLE_SECRETS,
  exampleCertificates,
  exampleDirectory,
  filesOf,
  hasCookies,
  placesOf,
  realmsOf,
  urisOf,
} from '../support/examples.js';
import type { Example, Place } from '../support/examples.js';
import { describeNeeds, itNeeds } from '../support/needs.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
import { hasAutobahn } from '../support/python.js';
import { fetchText, Snoop } from '../support/snoop.js';
import type { Login, Told } from '../support/snoop.js';
import { cookieValue } from '../support/wamp-client.js';

/** Places that let no stranger in, and why. A place that does is an error here, so that this list stays true. */
const CLOSED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'config/authentication.json': { '0 websocket /ws': 'every method asks for a secret' },
  'config/full.yaml': {
    '0 websocket /api/monitor': 'it asks for the ticket of an operator',
    '1 websocket /': 'the endpoint asks for a certificate',
    '1 page /': 'the endpoint asks for a certificate',
    '2 websocket /file': 'it asks for the session of a web application',
    '2 websocket /http': 'it asks for the session of a web application',
    '2 websocket /dynamic': 'it asks for the session of a web application',
  },
  'docs/clients.md': { '0 websocket /ws': 'it asks for a ticket', '1 rawsocket': 'it asks for a ticket' },
  'config/tls.json': { '1 rawsocket': 'the endpoint asks for a certificate' },
};

/** Those whose nodes need Python with Autobahn. */
const IN_PYTHON: readonly string[] = ['config/wsgi.json'];
const isInPython = ({ name }: Example): boolean => IN_PYTHON.includes(name);

/** Where a visitor is somebody: no way in for strangers. */
const LOGINS: Readonly<Record<string, Login>> = {
  'config/authentication.json': { authmethods: ['ticket'], authid: 'joe', signature: EXAMPLE_SECRETS.JOE_TICKET },
  'docs/clients.md': { authmethods: ['ticket'], authid: 'shop', signature: EXAMPLE_SECRETS.SHOP_TICKET },
};

/** Details of events and invocations that show who it was, where the rules let them. */
const SHOWN = { disclose_me: true, exclude_me: false } as const;

const DIRECTORIES = ['registration', 'subscription'] as const;
const META_TOPICS = [
  ...['on_join', 'on_leave'].map((name) => `wamp.session.${name}`),
  ...['on_create', 'on_register', 'on_unregister', 'on_delete'].map((name) => `wamp.registration.${name}`),
  ...['on_create', 'on_subscribe', 'on_unsubscribe', 'on_delete'].map((name) => `wamp.subscription.${name}`),
];

/** A running example and what is known of it. */
interface Scene {
  readonly name: string;
  readonly config: unknown;
  readonly daemon: Daemon;
  readonly places: readonly Place[];
  readonly uris: readonly string[];
}

/** Somebody with a session at every place that lets him in. */
interface Somebody {
  readonly sessions: readonly Snoop[];
  /** Places that let him in; pages that answered. */
  readonly entered: ReadonlySet<string>;
}

class Visitor {
  /** name -> the value that his browser sends */
  readonly cookies = new Map<string, string>();
  /** Every id that he ever had; of a signed cookie the id alone. */
  readonly ids = new Set<string>();

  keep(setCookie: readonly string[]): void {
    for (const line of setCookie) {
      const value = cookieValue(line);
      this.cookies.set(line.slice(0, line.indexOf('=')), value);
      this.ids.add(idOf(value));
    }
  }
}

/** Signed cookies are written as Express does: `s:ID.SIGNATURE`. */
function idOf(value: string): string {
  const [, id = value] = /^s:(.+)\.[^.]+$/.exec(decodeURIComponent(value)) ?? [];
  return id;
}

async function enterAll(scene: Scene, visitor?: Visitor): Promise<Somebody> {
  const sessions: Snoop[] = [];
  const entered = new Set<string>();
  for (const place of scene.places) {
    if (place.kind === 'page') {
      const page = await fetchText(place, new URL(place.url).pathname, visitor?.cookies);
      if (page !== undefined) entered.add(place.name);
      visitor?.keep(page?.setCookie ?? []);
      continue;
    }
    for (const realm of realmsOf(scene.config)) {
      const login = visitor && LOGINS[scene.name];
      const session = await Snoop.enter(place, { realm, login, ...(visitor && { cookies: visitor.cookies }) });
      if (session === undefined) continue;
      visitor?.keep(session.setCookie);
      sessions.push(session);
      if (session.sessionId !== undefined) entered.add(place.name);
    }
  }
  return { sessions, entered };
}

const joined = ({ sessions }: Somebody): readonly Snoop[] =>
  sessions.filter(({ sessionId }) => sessionId !== undefined);

/** The stranger listens to all that he may, and offers himself for all that visitors call. */
async function layInWait(stranger: Somebody, { uris }: Scene): Promise<void> {
  for (const session of joined(stranger)) {
    for (const topic of META_TOPICS) await session.subscribe(topic);
    await session.subscribe('', { match: 'prefix' });
    for (const uri of uris) {
      await session.subscribe(uri);
      await session.register(uri, { invoke: 'roundrobin' });
    }
  }
}

/** What visitors do: they speak, ask, leave words behind, and open another tab and close it. */
async function visit(visitor: Visitor, somebody: Somebody, scene: Scene): Promise<void> {
  const second = await enterAll(scene, visitor);
  for (const session of [...joined(somebody), ...joined(second)]) {
    for (const uri of scene.uris) {
      await session.publish(uri, { ...SHOWN, retain: true });
      await session.call(uri, ['hello'], { disclose_me: true });
      await session.call('wamp.session.add_testament', [uri, ['gone'], {}], { disclose_me: true });
    }
  }
  await Promise.all(second.sessions.map((session) => session.leave()));
}

/** The stranger asks for all that there is to ask for, with every id that he could know or guess. */
async function askForAll(stranger: Somebody, others: readonly number[], { uris }: Scene): Promise<void> {
  for (const session of joined(stranger)) {
    const listed = (resultOf(await session.call('wamp.session.list')) ?? []) as number[];
    await session.call('wamp.session.count');
    for (const id of new Set([...others, ...listed])) {
      await session.call('wamp.session.get', [id]);
    }
    for (const directory of DIRECTORIES) await askForDirectory(session, directory, uris);
    await askForCookies(session);
    for (const uri of uris) {
      await session.subscribe(uri, { match: 'prefix', get_retained: true });
      await session.subscribe(uri, { match: 'wildcard', get_retained: true });
      await session.call(uri, ['hello'], { disclose_me: true });
    }
    for (const id of others) await session.call('wamp.session.kill', [id], {});
    for (const name of ['visitor', 'anonymous']) await session.call('wamp.session.kill_by_authid', [name]);
    await session.call('wamp.session.kill_by_authrole', ['nobody']);
    await session.call('wamp.error.no_such_thing');
  }
}

/** The first value of a RESULT; undefined for an error. */
function resultOf(answer: readonly unknown[]): unknown {
  return answer[0] === 50 ? (answer[3] as unknown[] | undefined)?.[0] : undefined;
}

async function askForDirectory(session: Snoop, directory: (typeof DIRECTORIES)[number], uris: readonly string[]) {
  const member = { registration: 'callees', subscription: 'subscribers' }[directory];
  const lists = (resultOf(await session.call(`wamp.${directory}.list`)) ?? {}) as Record<string, number[]>;
  for (const id of Object.values(lists).flat().slice(0, 100)) {
    for (const name of ['get', `list_${member}`, `count_${member}`]) {
      await session.call(`wamp.${directory}.${name}`, [id]);
    }
    if (directory === 'subscription') await session.call('wamp.subscription.get_events', [id, 100]);
  }
  for (const uri of uris) {
    for (const name of ['lookup', 'match']) await session.call(`wamp.${directory}.${name}`, [uri]);
  }
}

async function askForCookies(session: Snoop): Promise<void> {
  const listed = (resultOf(await session.call('crossbar.cookie.list')) ?? []) as { digest: unknown }[];
  await session.call('crossbar.cookie.count');
  for (const { digest } of listed) {
    await session.call('crossbar.cookie.get', [digest]);
  }
  await session.call('crossbar.cookie.get', ['0'.repeat(64)]);
}

/** Every page, and every file of the node that has one of these ids under every name that could lead to it. */
async function fetchAll({ places, daemon }: Scene, ids: ReadonlySet<string>): Promise<readonly Told[]> {
  const told: Told[] = [];
  // Any other file tells nobody an id: one of them stands for all.
  const files = ['config.json', ...filesOf(daemon.cbdir).filter((name) => hasOne(path.join(daemon.cbdir, name), ids))];
  for (const place of places.filter(({ kind }) => kind === 'page')) {
    const base = new URL(place.url).pathname.replace(/\/$/, '');
    const names = files.flatMap((name) => [name, `.crossbar/${name}`, `../.crossbar/${name}`]);
    const encoded = names.map((each) => each.replaceAll('..', '%2e%2e').replaceAll('/', '%2f'));
    for (const name of new Set(['', ...names, ...encoded])) {
      const target = `${base}/${name}`;
      const page = await fetchText(place, target);
      if (page !== undefined) told.push({ channel: `GET ${target}`, text: page.text });
    }
  }
  return told;
}

/** Whether a file has one of the ids in it. */
function hasOne(file: string, ids: ReadonlySet<string>): boolean {
  if (!statSync(file).isFile()) return false;
  const content = readFileSync(file, 'latin1');
  return [...ids].some((id) => content.includes(id));
}

/** What told the stranger a cookie's id, and everything else that the play has shown. */
interface Outcome {
  readonly leaks: readonly string[];
  readonly ids: ReadonlySet<string>;
  /** Places that did not let the stranger in. */
  readonly closed: readonly string[];
  readonly visits: number;
}

/** @param behind what happens when the visitor has his cookies */
async function play(scene: Scene, behind: () => void = () => undefined): Promise<Outcome> {
  const visitor = new Visitor();
  const somebody = await enterAll(scene, visitor);
  behind();
  const stranger = await enterAll(scene);
  await layInWait(stranger, scene);
  await visit(visitor, somebody, scene);
  const others = joined(somebody).map(({ sessionId }) => Number(sessionId));
  await askForAll(stranger, others, scene);
  const told = [...stranger.sessions.flatMap((session) => session.told), ...(await fetchAll(scene, visitor.ids))];
  const leaks = told.filter(({ text }) => [...visitor.ids].some((id) => text.includes(id)));
  await Promise.all([...somebody.sessions, ...stranger.sessions].map((session) => session.leave()));
  return {
    leaks: [...new Set(leaks.map(({ channel }) => channel))],
    ids: visitor.ids,
    closed: scene.places.map(({ name }) => name).filter((name) => !stranger.entered.has(name)),
    visits: others.length,
  };
}

describeNeeds('the openssl command', HAS_OPENSSL)('on our examples a stranger reads nobody’s cookie', () => {
  let certificates: Certificates;
  const running: Daemon[] = [];
  beforeAll(() => {
    certificates = exampleCertificates();
  });
  afterAll(() => Promise.all(running.map((daemon) => daemon.dispose())));

  async function sceneOf(name: string, config: unknown): Promise<Scene> {
    const daemon = await startDaemon({ cbdir: exampleDirectory(config, certificates), env: EXAMPLE_SECRETS });
    running.push(daemon);
    return { name, config, daemon, places: placesOf(config, daemon, certificates), uris: urisOf(config) };
  }

  async function playExample({ name, load }: Example): Promise<void> {
    const config = await load();
    const scene = await sceneOf(name, config);
    const { leaks, ids, closed, visits } = await play(scene);
    expect(leaks).toEqual([]);
    expect(closed).toEqual(Object.keys(CLOSED[name] ?? {}));
    // It would prove nothing otherwise.
    expect(visits).toBeGreaterThan(0);
    expect(ids.size > 0).toBe(hasCookies(config));
    await scene.daemon.stop();
    for (const id of ids) expect(scene.daemon.output).not.toContain(id);
  }

  it.each(allExamples().filter((example) => !isInPython(example)))('$name', playExample);

  itNeeds('python3-autobahn', hasAutobahn).each(allExamples().filter(isInPython))('$name', playExample);

  it('is a test that can fail', async () => {
    const role = {
      name: 'anonymous',
      permissions: [{ ...ALLOW_ALL[0], disclose: { caller: true, publisher: true } }],
    };
    const cookie = { authid: 'cookie', store: { type: 'file', filename: 'cookies.dat' } };
    const config = nodeConfig({
      realms: [{ name: 'realm1', roles: [role] }],
      websocket: { cookie },
      paths: { files: { type: 'static', directory: '../public' } },
    });
    const scene = await sceneOf('', config);
    const { cbdir } = scene.daemon;
    const { leaks, closed } = await play(scene, () => {
      cpSync(path.join(cbdir, 'cookies.dat'), path.join(cbdir, '../public/cookies.dat'));
    });
    expect(closed).toEqual([]);
    expect(leaks).toEqual(
      expect.arrayContaining([
        'wamp.session.get',
        'EVENT wamp.session.on_join',
        'EVENT wamp.session.on_leave',
        'EVENT com.example.chat',
        'INVOCATION com.example.chat',
        'GET /files/cookies.dat',
      ]),
    );
  });
});

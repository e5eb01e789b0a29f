/**
 * `check --explain` agrees with the router: a real realm is made of the same config, a session asks it for the same action, and
 * hears what was said. Random rules, and every config that lies in the repository. The rule that is named is the one that decides:
 * where it allows the opposite, the realm does the opposite.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkConfig } from '../../src/config/check.js';
import type { CheckedConfig } from '../../src/config/check.js';
import { explain } from '../../src/config/explain/explain.js';
import type { Answer, Asked } from '../../src/config/explain/explain.js';
import { loadConfig } from '../../src/config/load.js';
import { MANAGING } from '../../src/config/rules/exposure.js';
import { parseJson } from '../../src/config/source/json.js';
import { pathOf } from '../../src/config/source/source.js';
import { parseYaml } from '../../src/config/source/yaml.js';
import type { PermissionConfig, RealmConfig, RoleConfig } from '../../src/router/schema.js';
import { Monitor } from '../../src/monitor/monitor.js';
import { monitorProcedures } from '../../src/monitor/procedures.js';
import { Realm } from '../../src/router/realm.js';
import { verdictOf } from '../../src/session/authorizer/verdict.js';
import { SharedLogins } from '../../src/auth/shared-logins.js';
import { loginProcedures } from '../../src/session/login-procedures.js';
import { cookieProcedures } from '../../src/session/cookie-procedures.js';
import { ManagedCookies } from '../../src/cookie/management.js';
import { silentLogger } from '../../src/log/logger.js';
import { parseMessage } from '../../src/wamp/parse.js';
import { NO_PAYLOAD, payloadOf } from '../../src/wamp/payload.js';
import { temporaryDirectory } from '../support/daemon.js';
import { FakeClock, ScriptedSession } from '../support/realm.js';

const ACTIONS = ['call', 'register', 'publish', 'subscribe'] as const;
const ALL = { call: true, register: true, publish: true, subscribe: true };
const MATCHES = ['exact', 'prefix', 'wildcard'] as const;
const MONITOR = new Monitor({
  node: () => {
    throw new Error('nobody looks');
  },
  clock: () => 0,
  log: silentLogger(),
});
const MANAGEMENT = {
  ...cookieProcedures(new ManagedCookies(), silentLogger()),
  ...loginProcedures({ logins: new SharedLogins(() => 0), admits: () => true, log: silentLogger() }),
  ...monitorProcedures(MONITOR, silentLogger()),
};

/** The worker's realm, with the procedures that a node has. */
function realmOf({ config, authenticators }: CheckedConfig, worker = 0, realm = 0): Realm {
  const router = config.workers[worker];
  if (router?.type !== 'router') throw new Error('no router');
  let lastId = 0;
  const next = () => ++lastId;
  const written = router.realms[realm];
  if (written === undefined) throw new Error('no realm');
  return new Realm(written, {
    randomId: next,
    nextRouterId: next,
    clock: () => 0,
    scheduler: new FakeClock(),
    management: MANAGEMENT,
    authenticators: authenticators[worker] ?? [],
  });
}

/** @returns the URI and text of the ERROR for what is not allowed; undefined when it is, whatever comes of it. */
function refusal(realm: Realm, roleName: string, { action, uri, match }: Asked): unknown[] | undefined {
  const role = realm.role(roleName);
  if (role === undefined) throw new Error(`no role ${roleName}`);
  const session = new ScriptedSession(realm, 1, role);
  const fields = {
    call: [48, 1, {}, uri],
    register: [64, 1, { match }, uri],
    publish: [16, 1, { acknowledge: true }, uri],
    subscribe: [32, 1, { match }, uri],
  }[action];
  // What an authorizer says that allows everything.
  const granted = role.authorizer === undefined ? undefined : verdictOf(action, payloadOf([true])).permission;
  realm.receive(session, parseMessage(fields, fields.length, NO_PAYLOAD), granted);
  const [answer] = session.heard();
  session.leave();
  const isNo = ['wamp.error.not_authorized', 'wamp.error.invalid_uri'].includes(String(answer?.[4]));
  return answer?.[0] === 8 && isNo ? [answer[4], (answer[5] as unknown[])[0]] : undefined;
}

function answerOf(config: CheckedConfig, role: string, asked: Asked): Answer {
  const answers = explain(config, { role, realm: 'realm1' }, asked);
  const [answer] = answers;
  if (typeof answers === 'string' || answers.length !== 1 || typeof answer !== 'object')
    throw new Error('no single answer');
  return answer;
}

const heard = ({ error }: Answer): unknown[] | undefined => error && [error.uri, error.text];

const component = fc.constantFrom(
  'a',
  'b',
  'A',
  'com',
  'wamp',
  'crossbar',
  'cookie',
  'list',
  'session',
  'count',
  '',
  '*',
);
const someUri = fc.oneof(
  { weight: 6, arbitrary: fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.')) },
  { weight: 1, arbitrary: fc.constantFrom('', '*', 'a.*', 'com.*', 'crossbar.*', 'wamp.*', 'cross*', ...MANAGING) },
);
const allow = fc.record({ call: fc.boolean(), register: fc.boolean(), publish: fc.boolean(), subscribe: fc.boolean() });
const someRule: fc.Arbitrary<PermissionConfig> = fc
  .record({ uri: someUri, allow, match: fc.constantFrom(undefined, undefined, ...MATCHES) })
  .map(({ match, ...rule }) => (match === undefined ? rule : { ...rule, match }));
const someRole: fc.Arbitrary<Omit<RoleConfig, 'name'>> = fc.oneof(
  { weight: 8, arbitrary: fc.array(someRule, { maxLength: 6 }).map((permissions) => ({ permissions })) },
  { weight: 1, arbitrary: fc.constant({ 'allow-by-default': true }) },
  { weight: 2, arbitrary: fc.constant({ authorizer: 'com.b' }) },
);
/** A question, about a random URI or about one that a rule is about. */
const someQuestion = fc.record({
  action: fc.constantFrom(...ACTIONS),
  uri: someUri,
  match: fc.constantFrom('exact', ...MATCHES),
  rule: fc.option(fc.nat({ max: 5 }), { freq: 3 }),
  behind: fc.constantFrom('', '', 'b', '.b'),
});
const someQuestions = fc.array(someQuestion, { minLength: 4, maxLength: 8 });
type Question = typeof someQuestion extends fc.Arbitrary<infer T> ? T : never;

function askedOf(
  { action, uri, match, rule, behind }: Question,
  { permissions = [] }: Omit<RoleConfig, 'name'>,
): Asked {
  const named = rule === null ? undefined : permissions[rule % permissions.length]?.uri;
  const asked = named === undefined ? uri : named.replaceAll('*', 'a').replaceAll('..', '.a.') + behind;
  return { action, uri: asked, match: action === 'call' || action === 'publish' ? 'exact' : match };
}

const someRealm = fc
  .record({ uri_check: fc.constantFrom('loose', 'strict'), user: someRole, isYaml: fc.boolean() })
  .map(({ uri_check, user, isYaml }) => {
    const guard = { name: 'guard', authorizer: 'com.a', 'authorizer-callee-role': 'guard' };
    const roles = [{ name: 'first' }, { name: 'user', ...user }, guard];
    return {
      isYaml,
      user,
      config: {
        version: 2,
        workers: [{ type: 'router', realms: [{ name: 'realm1', options: { uri_check }, roles }] }],
      },
    };
  });

function checked(config: object, isYaml = false): { readonly checked: CheckedConfig; readonly text: string } {
  const text = JSON.stringify(config, undefined, 2);
  const parse = isYaml ? parseYaml : parseJson;
  return { checked: checkConfig(text, 'config.json', { parse, cbdir: '/node', env: {} }), text };
}

/** The rules of the role `user`. */
const RULES = '/workers/0/realms/0/roles/1/permissions';

/** @returns the rule that a reason is about. */
function ruleAt(config: unknown, pointer: string): { uri: string; allow: Record<string, boolean> } {
  return pathOf(pointer)
    .slice(0, -1)
    .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], config) as never;
}

describe('check --explain', () => {
  it('knows the procedures that manage the node', () => {
    expect([...MANAGING].sort()).toEqual(Object.keys(MANAGEMENT).sort());
  });

  it('says what a realm does, in its words', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(someRealm, someQuestions, ({ config, user, isYaml }, questions) => {
        const { checked: loaded } = checked(config, isYaml);
        const realm = realmOf(loaded);
        for (const question of questions) {
          const asked = askedOf(question, user);
          const answer = answerOf(loaded, 'user', asked);
          expect(heard(answer)).toEqual(refusal(realm, 'user', asked));
          expect(answer.verdict === 'denied').toBe(answer.error !== undefined);
          seen.add(`${answer.verdict} ${asked.match}`);
        }
      }),
      { numRuns: 200 },
    );
    const verdicts = ['allowed', 'denied', 'unknown'].flatMap((verdict) =>
      MATCHES.map((match) => `${verdict} ${match}`),
    );
    expect([...seen].sort()).toEqual(verdicts.sort());
  });

  it('names the rule that decides, at its place', () => {
    let flipped = 0;
    fc.assert(
      fc.property(someRealm, someQuestions, ({ config, user, isYaml }, questions) => {
        const { checked: loaded, text } = checked(config, isYaml);
        for (const question of questions) {
          const asked = askedOf(question, user);
          const { verdict, reasons } = answerOf(loaded, 'user', asked);
          const rules = reasons.flatMap(({ place }) => (place?.pointer.endsWith('/uri') === true ? [place] : []));
          for (const { pointer, line, column } of rules) {
            const there = (text.split('\n')[line - 1] ?? '').slice(column - 1);
            expect(there.startsWith(JSON.stringify(ruleAt(config, pointer).uri))).toBe(true);
          }
          const [first] = rules;
          if (first === undefined || first.pointer !== reasons[0]?.place?.pointer) continue;
          const isMoreThanARule = asked.uri === 'com.a' || MANAGING.includes(asked.uri);
          if (verdict === 'denied' && (isMoreThanARule || asked.match !== 'exact')) continue;
          const changed = { ...loaded, config: structuredClone(loaded.config) };
          ruleAt(changed.config, first.pointer).allow[asked.action] = verdict === 'denied';
          expect(refusal(realmOf(changed), 'user', asked) === undefined).toBe(verdict === 'denied');
          flipped += 1;
        }
      }),
      { numRuns: 150 },
    );
    expect(flipped).toBeGreaterThan(100);
  });

  it('names no rule where none decides', () => {
    fc.assert(
      fc.property(someRealm, someQuestions, ({ config, user }, questions) => {
        const { checked: loaded } = checked(config);
        const changed = { ...loaded, config: structuredClone(loaded.config) };
        const rules = user.permissions ?? [];
        for (const index of rules.keys())
          Object.assign(ruleAt(changed.config, `${RULES}/${index}/uri`), { allow: ALL });
        for (const question of questions) {
          const asked = askedOf(question, user);
          if (answerOf(loaded, 'user', asked).reasons[0]?.text !== 'no rule matches') continue;
          expect(refusal(realmOf(changed), 'user', asked)?.[0]).toBe('wamp.error.not_authorized');
        }
      }),
      { numRuns: 100 },
    );
  });
});

const ROOT = path.resolve(import.meta.dirname, '../..');
const FILES = ['config', ...['valid', 'noted', 'warned'].map((name) => `test/fixtures/config/${name}`)].flatMap(
  (directory) =>
    readdirSync(path.join(ROOT, directory))
      .filter((name) => /(?<!\.schema)\.(json|ya?ml)$/.test(name))
      .map((name) => `${directory}/${name}`),
);

/** With what the samples ask for. */
function nodeDirectory(): string {
  const cbdir = temporaryDirectory();
  mkdirSync(path.join(cbdir, 'secrets'));
  for (const name of ['pat', 'worker', 'cookies', 'github']) {
    writeFileSync(path.join(cbdir, `secrets/${name}.txt`), 'a secret, long enough\n', { mode: 0o600 });
  }
  writeFileSync(path.join(cbdir, 'secrets/joe.key'), 'ab'.repeat(32), { mode: 0o600 });
  return cbdir;
}

/** What is asked about a realm: what its rules name, and what is near it; what is the router's own. */
function questionsAbout({ roles }: RealmConfig): Asked[] {
  const rules = roles.flatMap(({ permissions = [] }) => permissions);
  const patterns = rules.map(({ uri, match = 'exact' }) => ({ uri, match }));
  const named = patterns.flatMap(({ uri }) => [
    uri,
    `${uri}x`,
    `${uri}.x`,
    uri.replace(/\.$/, ''),
    uri.replaceAll('..', '.x.'),
  ]);
  const uris = new Set([...named, 'com.example.other', 'wamp.session.get', 'wamp.session.on_join', ...MANAGING]);
  const exact = [...uris].flatMap((uri) => ACTIONS.map((action): Asked => ({ action, uri, match: 'exact' })));
  const whole = patterns.flatMap((pattern) =>
    (['register', 'subscribe'] as const).map((action): Asked => ({ action, ...pattern })),
  );
  return [...exact, ...whole, { action: 'subscribe', uri: '', match: 'prefix' }];
}

describe('check --explain, on the configs of the repository', () => {
  const cbdir = nodeDirectory();
  const env = { PORT: '8080', JOE_TICKET: 'secret', COOKIE_SECRET: 'a secret, long enough', BRIDGE_SECRET: 'secret' };

  it.each(FILES)('%s: says what its realms do', async (name) => {
    const loaded = await loadConfig({ cbdir, config: path.join(ROOT, name), env });
    const lines = readFileSync(path.join(ROOT, name), 'utf8').split('\n').length;
    for (const [worker, { id, type }] of loaded.config.workers.entries()) {
      const router = loaded.config.workers[worker];
      if (type !== 'router' || router?.type !== 'router') continue;
      for (const [index, realm] of router.realms.entries()) {
        for (const role of [...realm.roles.map((each) => each.name), 'trusted']) {
          const real = realmOf(loaded, worker, index);
          for (const asked of questionsAbout(realm)) {
            const answers = explain(loaded, { realm: realm.name, role }, asked);
            const answer = typeof answers === 'string' ? undefined : answers.find((each) => each.worker === id);
            expect(answer && heard(answer), JSON.stringify([role, asked])).toEqual(refusal(real, role, asked));
            for (const { place } of answer?.reasons ?? []) expect(place?.line ?? 1).toBeLessThanOrEqual(lines);
          }
        }
      }
    }
  });
});

/** What the config says of authentication: secrets from elsewhere, and what is probably not meant. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { checkConfig } from '../../../src/config/check.js';
import { ConfigError } from '../../../src/config/error.js';
import { parseJson } from '../../../src/config/source/json.js';
import { readSecretFile } from '../../../src/config/secrets.js';
import { check, node, problemsOf, strictProblemsOf } from './configs.js';

const withTicket = (ticket: unknown): object =>
  node({ websocket: { auth: { ticket: { type: 'static', principals: { joe: { ticket } } } } } });

describe('a secret from the environment', () => {
  const secretOf = (env: Record<string, string>): unknown => ticketIn(check(withTicket('${JOE_TICKET}'), env).config);

  it('is in the config when it is loaded', () => {
    expect(secretOf({ JOE_TICKET: 'from outside' })).toBe('from outside');
  });

  it('that is empty or not there is a problem', () => {
    const place = '/workers/0/transports/0/paths/ws/auth/ticket/principals/joe/ticket: the environment variable';
    const allowed = '(allowed: one that holds the secret)';
    const config = withTicket('${JOE_TICKET}');
    expect(problemsOf(config, {})).toEqual([`${place} "JOE_TICKET" is not set ${allowed}`]);
    expect(problemsOf(config, { JOE_TICKET: '' })).toEqual([`${place} "JOE_TICKET" is empty ${allowed}`]);
  });

  it.each(['$JOE_TICKET', '${JOE_TICKET', 'x${JOE_TICKET}', '${1}', '${}'])('is not meant by %s', (text) => {
    expect(ticketIn(check(withTicket(text), { JOE_TICKET: 'from outside' }).config)).toBe(text);
  });
});

describe('a secret from a file', () => {
  let cbdir: string;
  beforeEach(() => {
    cbdir = mkdtempSync(join(tmpdir(), 'secrets-'));
  });
  afterEach(() => rmSync(cbdir, { recursive: true }));

  const load = (text: string | Uint8Array, mode = 0o600) => {
    writeFileSync(join(cbdir, 'joe.txt'), text);
    chmodSync(join(cbdir, 'joe.txt'), mode);
    const config = JSON.stringify(withTicket({ file: 'joe.txt' }));
    return checkConfig(config, 'config.json', { parse: parseJson, cbdir, env: {}, secretFiles: readSecretFile });
  };

  it.each([
    ['a secret', 'a secret'],
    ['a secret\n', 'a secret'],
    ['a secret\r\n', 'a secret'],
    ['a secret\n\n', 'a secret\n'],
    [' a secret ', ' a secret '],
  ])('%j is %j', (text, secret) => {
    const { config, warnings } = load(text);
    expect(ticketIn(config)).toBe(secret);
    expect(warnings).toEqual([]);
  });

  it.each([0o640, 0o604, 0o644])('with mode %o is accepted with a warning', (mode) => {
    expect(load('a secret', mode).warnings.map(({ text }) => text)).toEqual([
      expect.stringContaining('may be read by others'),
    ]);
  });

  it('is refused when there is none in it, or too much', () => {
    expect(() => load('\n')).toThrow(/is empty/);
    expect(() => load(new Uint8Array(65_537))).toThrow(/too large/);
  });

  it('is not read where no file may be read', () => {
    const text = JSON.stringify(withTicket({ file: 'joe.txt' }));
    expect(() => checkConfig(text, 'config.json', { parse: parseJson, cbdir, env: {} })).toThrow(ConfigError);
  });
});

describe('a warning', () => {
  const warningsOf = (auth: object): string[] =>
    check(node({ websocket: { auth } })).warnings.map(({ pointer, text }) => `${pointer}: ${text}`);
  const place = '/workers/0/transports/0/paths/ws/auth';

  it('comes with a method that knows nobody', () => {
    expect(warningsOf({ ticket: { type: 'static', principals: {} }, wampcra: { type: 'static', users: {} } })).toEqual([
      `${place}/ticket/principals: there is nobody in it, so nobody can log in by this method`,
      `${place}/wampcra/users: there is nobody in it, so nobody can log in by this method`,
    ]);
  });

  it('does not come for principals that are right', () => {
    expect(warningsOf({ ticket: { type: 'static', principals: { joe: { ticket: 'x' } } } })).toEqual([]);
  });
});

describe('cookie authentication', () => {
  it.each([
    ['beside it', { websocket: { auth: { cookie: {} }, cookie: {} } }],
    ['on the transport', { websocket: { auth: { cookie: {} } }, web: { cookie: {} } }],
  ])('finds its cookie section %s', (_where, parts) => {
    expect(problemsOf(node(parts))).toEqual([]);
  });

  it('finds it on the path around it, but a path that is called "cookie" is none', () => {
    const inner = { type: 'websocket', auth: { cookie: {} } };
    const paths = (outer: object) =>
      node({ web: { paths: { cookie: { type: 'nodeinfo' }, api: { type: 'path', paths: { ws: inner }, ...outer } } } });
    expect(strictProblemsOf(paths({ cookie: {} }))).toEqual([]);
    expect(strictProblemsOf(paths({}))).toHaveLength(1);
    expect(problemsOf(paths({}))).toEqual([]);
  });
});

/** The ticket of joe in a loaded config. */
function ticketIn(config: unknown): unknown {
  const steps = ['workers', 0, 'transports', 0, 'paths', 'ws', 'auth', 'ticket', 'principals', 'joe', 'ticket'];
  return steps.reduce<unknown>((value, step) => (value as Readonly<Record<string, unknown>>)[step], config);
}

describe('one-time tickets', () => {
  const oneTime = (section: object): object => node({ websocket: { auth: { one_time: section } } });

  it('come by CHALLENGE and HELLO unless the config says otherwise', () => {
    const { config, notes } = check(oneTime({}));
    expect(notes).toEqual([]);
    expect(JSON.stringify(config)).toContain(
      '"one_time":{"from":["challenge","authextra"],"parameter":"ticket","ttl":30,"max":10000,"bind_origin":true,"bind_cookie":true}',
    );
  });

  it('have a parameter of the URL only where they may come so', () => {
    const place = '/workers/0/transports/0/paths/ws/auth/one_time/parameter';
    expect(strictProblemsOf(oneTime({ from: ['query'], parameter: 't' }))).toEqual([]);
    expect(strictProblemsOf(oneTime({ parameter: 't' }))).toEqual([
      `${place}: found without "query" in "from", so it has no effect`,
    ]);
  });

  it.each([
    [{ permissions: [{ uri: 'crossbar.ticket.issue', allow: { call: true } }] }, true],
    [{ permissions: [{ uri: 'crossbar.*', allow: { call: true } }] }, true],
    [{ authorizer: 'com.example.authorize' }, true],
    [{ permissions: [{ uri: '*', allow: { call: true } }] }, false],
    [{ permissions: [{ uri: 'crossbar.cookie.*', allow: { call: true } }] }, false],
    [{ permissions: [{ uri: 'crossbar.*', allow: { register: true } }] }, false],
  ])('that nobody can issue are warned of, with a role %j', (role, isIssued) => {
    const worker = { realms: [{ name: 'realm1', roles: [{ name: 'anonymous', ...role }] }] };
    const { warnings } = check(node({ websocket: { auth: { one_time: {} } }, worker }));
    const texts = warnings.map(({ text }) => text).filter((text) => text.startsWith('nobody can issue tickets'));
    expect(texts).toHaveLength(isIssued ? 0 : 1);
  });

  it.each([
    [{ from: [] }, 'from'],
    [{ from: ['url'] }, 'from/0'],
    [{ from: ['query', 'query'] }, 'from/1'],
    [{ from: ['query'], parameter: 'a b' }, 'parameter'],
    [{ ttl: 4 }, 'ttl'],
    [{ ttl: 301 }, 'ttl'],
    [{ max: 0 }, 'max'],
  ])('of %j are refused', (section, place) => {
    const [problem, ...more] = problemsOf(oneTime(section));
    expect(problem).toContain(`/auth/one_time/${place}: `);
    expect(more).toEqual([]);
  });
});

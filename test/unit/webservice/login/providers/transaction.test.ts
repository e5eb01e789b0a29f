import { describe, expect, it } from 'vitest';

import { TransactionCookies } from '../../../../../src/webservice/login/providers/transaction-cookies.js';
import {
  randomText,
  TransactionSeal,
  transactionName,
  TRANSACTION_MS,
} from '../../../../../src/webservice/login/providers/transaction.js';

const SECRETS = ['a secret of sixteen', 'another secret of mine'];
const NOW = 1_000_000_000_000;
const T = { begunMs: NOW, verifier: randomText(), nonce: randomText(), returnTo: 'https://example.com/page' };
const SCOPE = { provider: 'id', path: '/login/id', secure: true };
const NAME = transactionName('a state');

describe('a sealed transaction', () => {
  const seal = new TransactionSeal(SECRETS);
  const sealed = seal.seal(T, NAME, 'id');

  it('opens for the same name and provider, and shows nothing', () => {
    expect(seal.open(sealed, NAME, 'id', NOW)).toEqual(T);
    expect(sealed).toMatch(/^[\w-]+$/);
    expect(sealed.length).toBeLessThan(320);
    for (const text of [T.verifier, T.nonce])
      expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain(text);
  });

  it('never looks the same twice', () => {
    expect(seal.seal(T, NAME, 'id')).not.toBe(sealed);
  });

  it('opens at another node with the same secrets, in any order', () => {
    expect(new TransactionSeal([...SECRETS].reverse()).open(sealed, NAME, 'id', NOW)).toEqual(T);
    expect(new TransactionSeal(['a new secret, in front', ...SECRETS]).open(sealed, NAME, 'id', NOW)).toEqual(T);
  });

  it('does not open under another state, at another provider, with other secrets, or for another process', () => {
    expect(seal.open(sealed, transactionName('another state'), 'id', NOW)).toBeUndefined();
    expect(seal.open(sealed, NAME, 'other', NOW)).toBeUndefined();
    expect(new TransactionSeal(['a secret of somebody']).open(sealed, NAME, 'id', NOW)).toBeUndefined();
    const own = new TransactionSeal(undefined);
    const made = own.seal(T, NAME, 'id');
    expect(own.open(made, NAME, 'id', NOW)).toEqual(T);
    expect(new TransactionSeal(undefined).open(made, NAME, 'id', NOW)).toBeUndefined();
  });

  it('does not open when a character was changed, or is missing', () => {
    for (let at = 0; at < sealed.length; at++) {
      const other = sealed[at] === 'A' ? 'B' : 'A';
      const changed = Buffer.from(`${sealed.slice(0, at)}${other}${sealed.slice(at + 1)}`, 'base64url');
      if (changed.equals(Buffer.from(sealed, 'base64url'))) continue;
      expect(seal.open(changed.toString('base64url'), NAME, 'id', NOW)).toBeUndefined();
    }
    for (const bad of ['', 'x', sealed.slice(4), sealed.slice(0, -4), `${sealed}AAAA`, '!!', sealed.slice(0, 30)]) {
      expect(seal.open(bad, NAME, 'id', NOW)).toBeUndefined();
    }
  });

  it('is worth nothing after ten minutes', () => {
    expect(seal.open(sealed, NAME, 'id', NOW + TRANSACTION_MS - 1)).toEqual(T);
    expect(seal.open(sealed, NAME, 'id', NOW + TRANSACTION_MS)).toBeUndefined();
  });
});

describe('the cookies of transactions', () => {
  const clock = { now: NOW };
  const cookies = new TransactionCookies({ seal: new TransactionSeal(SECRETS), clock: () => clock.now });
  const begin = (state: string, header?: string, returnTo = T.returnTo): string[] => {
    clock.now += 1;
    return cookies.begin(state, { verifier: T.verifier, nonce: T.nonce, returnTo }, header, SCOPE);
  };
  const pairOf = (line: string): string => line.split(';', 1).join('');

  it('come back from another site, to the provider only, for ten minutes, and no script sees them', () => {
    const [line = ''] = begin('a state');
    expect(line).toMatch(/^cblogin_[\w-]{22}=[\w-]+; Max-Age=600; Path=\/login\/id; HttpOnly; Secure; SameSite=Lax$/);
    const [plain = ''] = cookies.begin('a state', T, undefined, { ...SCOPE, secure: false });
    expect(plain).not.toContain('Secure');
  });

  it('tell nothing of the state by their name', () => {
    expect(NAME).not.toContain('state');
    expect(transactionName('a state')).toBe(NAME);
  });

  it('are found beside others, and only by their own state', () => {
    const [line = ''] = begin('a state');
    const header = `cbtid=x; cblogin_other=1; ${pairOf(line)}; y="z"`;
    expect(cookies.find('a state', header, SCOPE)).toMatchObject({ nonce: T.nonce });
    expect(cookies.find('another state', header, SCOPE)).toBeUndefined();
    expect(cookies.find('a state', header, { ...SCOPE, provider: 'other' })).toBeUndefined();
    expect(cookies.find('a state', undefined, SCOPE)).toBeUndefined();
  });

  it('are five at most: the oldest makes room', () => {
    const jar: string[] = [];
    for (const state of ['1', '2', '3', '4', '5']) {
      const lines = begin(state, jar.join('; '));
      expect(lines).toHaveLength(1);
      jar.push(...lines.map(pairOf));
    }
    const lines = begin('6', [...jar].reverse().join('; '));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(new RegExp(`^${transactionName('1')}=; Max-Age=0; Path=/login/id;`));
  });

  it('make room for one another where pages have long names', () => {
    const jar: string[] = [];
    const long = `https://example.com/${'x'.repeat(2000)}`;
    for (const state of ['1', '2', '3', '4']) {
      for (const line of begin(state, jar.join('; '), long).map(pairOf)) {
        if (line.endsWith('='))
          jar.splice(
            jar.findIndex((pair) => pair.startsWith(line)),
            1,
          );
        else jar.push(line);
      }
    }
    expect(jar.join('; ').length).toBeLessThan(8192);
    expect(cookies.find('4', jar.join('; '), SCOPE)).toBeDefined();
  });

  it('are cleared when they are none: planted, of another secret, or over', () => {
    const [line = ''] = begin('old');
    clock.now += TRANSACTION_MS;
    const planted = Array.from({ length: 40 }, (_, at) => `${transactionName(`planted ${at}`)}=x`);
    const lines = begin('new', [pairOf(line), ...planted].join('; '));
    expect(lines).toHaveLength(17);
    expect(lines.at(-1)).toContain(transactionName('new'));
    for (const each of lines.slice(0, -1)) expect(each).toContain('=; Max-Age=0');
  });
});

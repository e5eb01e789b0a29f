/** The pieces of config in the documents, and what their tables say of defaults. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../../src/config/check.js';
import { ConfigError } from '../../../src/config/error.js';
import { parseJson } from '../../../src/config/source/json.js';
import { cookieSchema } from '../../../src/cookie/schema.js';
import { node } from './configs.js';

const DOCS = path.join(import.meta.dirname, '../../../docs');

/** The rows of all tables of a document, cell by cell. */
function rows(name: string): readonly (readonly string[])[] {
  const text = readFileSync(path.join(DOCS, name), 'utf8');
  return [...text.matchAll(/^\|(.*)\|$/gm)].map(([, row = '']) => row.split('|').map((cell) => cell.trim()));
}

/** The JSON of a document, in order. */
function snippets(name: string): readonly Readonly<Record<string, object>>[] {
  const text = readFileSync(path.join(DOCS, name), 'utf8');
  return [...text.matchAll(/^```json\n([^]*?)^```/gm)].map(([, json = '']) => JSON.parse(json));
}

describe('docs/authentication.md', () => {
  const realms = ['realm1', 'backend'].map((name) => ({
    name,
    roles: ['anonymous', 'member', 'admin'].map((role) => ({ name: role, 'allow-by-default': true })),
  }));

  const cookie = { secrets: ['a secret for cookies'] };

  /** The service `login` with some of its keys. */
  const loginWith = (keys: object): object => ({
    login: { type: 'login', realm: 'realm1', public_url: 'https://example.com', cookie, ...keys },
  });

  /** A node with TLS and cookies, so that every method has what it needs. */
  function problemsOf(auth: object, paths: object = {}): readonly string[] {
    const tls = { key: 'key.pem', certificate: 'cert.pem', ca_certificates: ['ca.pem'] };
    const websocket = { type: 'websocket', auth, cookie };
    const config = node({
      web: { endpoint: { type: 'tcp', port: 8080, tls }, paths: { ws: websocket, ...paths } },
      worker: { realms },
    });
    try {
      checkConfig(JSON.stringify(config), 'config.json', {
        parse: parseJson,
        cbdir: '/node',
        env: { ANN_TICKET: 'a ticket for ann', SESSION_SECRET: 'a secret, long enough' },
        secretFiles: () => ({ secret: 'a ticket for sue' }),
      });
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems.map(({ pointer, text }) => `${pointer}: ${text}`);
    }
  }

  it.each(snippets('authentication.md').map((auth) => [Object.keys(auth).join(' and '), auth] as const))(
    'shows %s as the node takes it',
    (_methods, auth) => {
      expect(problemsOf(auth)).toEqual([]);
    },
  );

  it('and docs/web-login.md shows pieces that the node takes', () => {
    const pieces = snippets('web-login.md').filter((piece) => !('version' in piece));
    const [store, http, providers, ticket] = pieces;
    expect(pieces.map((piece) => Object.keys(piece)[0])).toEqual(['store', 'session', 'providers', 'auth']);
    expect(problemsOf(http ?? {})).toEqual([]);
    const secrets = ['a secret, long enough'];
    expect(problemsOf({ session: { ...http?.['session'], secrets, ...store } })).toEqual([]);
    expect(problemsOf(ticket?.['auth'] ?? {})).toEqual([]);
    expect(problemsOf({ cookie: {} }, loginWith(providers ?? {}))).toEqual([]);
  });
});

describe('docs/cookies.md', () => {
  it('has every key of a cookie section, with its default', () => {
    for (const [key, schema] of Object.entries(cookieSchema.properties)) {
      if (key === 'http_strict') continue; // named beside `http_only`
      const row = rows('cookies.md').find(([first]) => first === `\`${key}\``);
      expect(row, key).toBeDefined();
      if (!('default' in schema) || typeof schema.default === 'object') continue;
      expect(row?.[1]?.replace(/^`|`$/g, '').split(',')[0], key).toBe(String(schema.default));
    }
  });
});

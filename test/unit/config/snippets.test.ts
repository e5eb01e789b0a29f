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
    roles: [{ name: 'anonymous', 'allow-by-default': true }],
  }));

  /** A node with TLS and cookies, so that every method has what it needs. */
  function problemsOf(auth: object): readonly string[] {
    const tls = { key: 'key.pem', certificate: 'cert.pem', ca_certificates: ['ca.pem'] };
    const config = node({
      websocket: { auth, cookie: {} },
      web: { endpoint: { type: 'tcp', port: 8080, tls } },
      worker: { realms },
    });
    try {
      checkConfig(JSON.stringify(config), 'config.json', {
        parse: parseJson,
        cbdir: '/node',
        env: { ANN_TICKET: 'a ticket for ann' },
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

/** The warning about the users of the demo where other machines can log in as them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { DEMO_SECRETS } from '../../../src/config/rules/demo-users.js';
import { check, node } from './configs.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const demo = readFileSync(path.join(ROOT, '.crossbar/config.json'), 'utf8');
const USERS = '/workers/0/transports/0/paths/ws/auth/wampcra/users';

/** @returns the warnings of the demo with another interface. */
function warningsAt(address: string | undefined): string[] {
  const config = JSON.parse(demo) as { workers: { transports: { endpoint: object }[] }[] };
  for (const transport of config.workers.flatMap(({ transports }) => transports)) {
    transport.endpoint = { type: 'tcp', port: 8080, ...(address !== undefined && { interface: address }) };
  }
  return check(config).warnings.map(({ pointer, text }) => `${pointer}: ${text}`);
}

describe('the users of the demo', () => {
  it('have the secrets that are known as theirs, and the page shows their passwords', () => {
    const keys = [...demo.matchAll(/"secret": "([^"]+)"/g)].map(([, key]) => key);
    const page = readFileSync(path.join(ROOT, 'web/index.html'), 'utf8');
    const passwords = [...page.matchAll(/data-password="([^"]+)"/g)].map(([, password]) => password);
    expect(keys).toHaveLength(2);
    expect([...keys, ...passwords].sort()).toEqual([...DEMO_SECRETS].sort());
  });

  it.each([undefined, '0.0.0.0', '::', '192.168.1.2'])('are named once where a transport listens on %s', (address) => {
    expect(warningsAt(address)).toEqual([
      `${USERS}: alice and bob have passwords of the demo, which everybody knows, and other machines can connect here (change the secrets, or take the users out)`,
    ]);
  });

  it.each(['127.0.0.1', '127.0.0.2', '::1', 'localhost'])('are not named on %s', (address) => {
    expect(warningsAt(address)).toEqual([]);
  });

  it('are named by their passwords, too, with the path that they are on', () => {
    const auth = { ticket: { type: 'static', principals: { eve: { ticket: 'wonderland', role: 'anonymous' } } } };
    const paths = { '/': { type: 'websocket', auth } };
    const { warnings } = check(node({ web: { paths } }));
    expect(warnings.map(({ pointer, text }) => `${pointer}: ${text}`)).toEqual([
      expect.stringMatching(
        /^\/workers\/0\/transports\/0\/paths\/~1\/auth\/ticket\/principals: eve has a password of the demo, /,
      ),
    ]);
    const own = { ticket: { type: 'static', principals: { eve: { ticket: 'looking glass', role: 'anonymous' } } } };
    expect(check(node({ web: { paths: { '/': { type: 'websocket', auth: own } } } })).warnings).toEqual([]);
  });
});

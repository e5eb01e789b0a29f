/** The key files of a node: made once, read again, never half, and nobody else's. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NodeError } from '../../../src/node/error.js';
import { nodeKey } from '../../../src/node/node-key.js';

// The first test vector of RFC 8032, section 7.1.
const PRIVATE = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';

let cbdir: string;
beforeEach(() => void (cbdir = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-key-'))));
afterEach(() => rmSync(cbdir, { recursive: true, force: true }));

const look = (env = {}) => nodeKey({ cbdir, env, nowMs: Date.UTC(2026, 0, 2, 3, 4, 5) });
const file = (name: string): string => path.join(cbdir, name);
const write = (name: string, ...lines: string[]): void =>
  writeFileSync(file(name), ['A title.', '', ...lines, ''].join('\n'));
function refusal(): string {
  try {
    look();
  } catch (error) {
    if (error instanceof NodeError && error.code === 'ERR_NODE_DIRECTORY') return error.message;
    throw error;
  }
  throw new Error('it was not refused');
}

it('is made once, for its owner alone, and is the same from then on', () => {
  const { key, isNew } = look({ CROSSBAR_NODE_ID: 'node1', CROSSBAR_NODE_CLUSTER_IP: '10.0.0.1' });
  expect([isNew, key.publicKey, key.privateKey]).toEqual([
    ...[true, expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/)],
  ]);
  expect(['key.priv', 'key.pub'].map((name) => statSync(file(name)).mode & 0o777)).toEqual([0o600, 0o644]);
  expect(readFileSync(file('key.pub'), 'utf8')).not.toContain(key.privateKey);
  expect(readFileSync(file('key.pub'), 'utf8').split('\n').slice(1)).toEqual([
    ...['', expect.stringMatching(/^creator: .+@.+$/), 'created-at: 2026-01-02T03:04:05.000Z'],
    ...[expect.stringMatching(/^machine-id: .+$/), 'node-authid: node1', 'node-cluster-ip: 10.0.0.1'],
    ...[`public-key-ed25519: ${key.publicKey}`, ''],
  ]);
  expect(look()).toEqual({ key, isNew: false });
});

it("reads Crossbar.io's files, with the tags for Ethereum, and puts the mode right", () => {
  const eth = ['public-adr-eth: 0xe59C7418403CF1D973485B36660728a5f4A8fF9c', 'private-key-eth: 6b08b6'];
  write('key.priv', 'creator: me@here', ...eth, `public-key-ed25519: ${PUBLIC}`, `private-key-ed25519: ${PRIVATE}`);
  write('key.pub', 'creator: me@here', eth[0] ?? '', `public-key-ed25519: ${PUBLIC}`);
  chmodSync(file('key.priv'), 0o644);
  expect(look()).toMatchObject({ key: { publicKey: PUBLIC, privateKey: PRIVATE }, isNew: false });
  expect(statSync(file('key.priv')).mode & 0o777).toBe(0o600);
});

it('makes the public file again, which says nothing that the private one does not', () => {
  const { key } = look();
  const before = readFileSync(file('key.pub'), 'utf8');
  rmSync(file('key.pub'));
  expect(look()).toEqual({ key, isNew: false });
  expect(readFileSync(file('key.pub'), 'utf8')).toBe(before);
});

it.each([
  ['another public key', [`public-key-ed25519: ${'ab'.repeat(32)}`, `private-key-ed25519: ${PRIVATE}`], /do not fit/],
  ['no private key', [`public-key-ed25519: ${PUBLIC}`], /no private-key-ed25519 of 64/],
  ['a short key', [`public-key-ed25519: ${PUBLIC}`, 'private-key-ed25519: 9d61'], /no private-key-ed25519 of 64/],
  ['two lines of a tag', [`public-key-ed25519: ${PUBLIC}`, `public-key-ed25519: ${PUBLIC}`], /two lines/],
  ['an unknown tag', [`secret: ${PRIVATE}`], /a line that is no tag/],
  ['the key alone', [PRIVATE], /a line that is no tag/],
])('refuses a private file with %s, and does not show the key', (_, lines, why) => {
  write('key.priv', ...lines);
  const told = refusal();
  expect(told).toMatch(why);
  expect(told).not.toContain(PRIVATE);
});

it('refuses a public file of another key, and one without a private file', () => {
  look();
  write('key.pub', `public-key-ed25519: ${PUBLIC}`);
  expect(refusal()).toContain('does not belong to');
  rmSync(file('key.priv'));
  expect(refusal()).toContain('is there without its private key');
});

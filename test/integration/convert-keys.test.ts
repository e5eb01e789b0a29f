/** `crossbar-ts convert`, `keys` and `keygen`, as a user types them. */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createPublicKey, diffieHellman, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { nodeDirectory, runCli } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';

it('convert writes beside the old file, never over another, and says what a start reads', async () => {
  const cbdir = nodeDirectory(nodeConfig());
  const [json, yaml] = ['config.json', 'config.yaml'].map((name) => path.join(cbdir, name)) as [string, string];
  chmodSync(json, 0o600);
  const before = readFileSync(json, 'utf8');
  const first = await runCli(['convert', '--cbdir', cbdir]);
  const said = `${yaml} is written, ${json} is untouched\na start reads ${yaml}\n`;
  expect(first).toMatchObject({ code: 0, stdout: said, stderr: '' });
  expect([readFileSync(json, 'utf8'), statSync(yaml).mode & 0o777]).toEqual([before, 0o600]);
  const checked = await runCli(['check', '--cbdir', cbdir]);
  expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining(`OK: ${yaml}\n`)]);

  writeFileSync(yaml, `# ours\n${readFileSync(yaml, 'utf8')}`);
  const refused = await runCli(['convert', '--cbdir', cbdir]);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain(`crossbar-ts: ${json} is there already; --force replaces it\n`);
  const other = path.join(path.dirname(cbdir), 'other.json');
  const elsewhere = await runCli(['convert', '--cbdir', cbdir, '--output', other]);
  expect(elsewhere.stdout).toBe(`${other} is written, ${yaml} is untouched\nits comments are lost: JSON has none\n`);
  expect(JSON.parse(readFileSync(other, 'utf8'))).toEqual(JSON.parse(before));
  const forced = await runCli(['convert', '--cbdir', cbdir, '--force']);
  expect(forced).toMatchObject({ code: 0 });
  expect(forced.stdout).toContain(`a start reads ${yaml}\n`);
});

it('keys makes the key of a node once, and shows the private one only when asked', async () => {
  const cbdir = nodeDirectory(nodeConfig());
  const made = await runCli(['keys', '--cbdir', cbdir]);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toMatch(/^a new key pair was made in .+\n {3}public: [0-9a-f]{64}\n$/);
  const [, again = ''] = made.stdout.split('\n');
  expect((await runCli(['keys', '--cbdir', cbdir])).stdout).toBe(`${again}\n`);
  const both = await runCli(['keys', '--cbdir', cbdir, '--private']);
  expect(both.stdout).toMatch(/^ {3}public: [0-9a-f]{64}\n {2}private: [0-9a-f]{64}\n$/);
});

it('keygen makes a pair that agrees with others on a secret (X25519)', async () => {
  const { code, stdout } = await runCli(['keygen']);
  const [, d = '', x = ''] = /^ {2}private: ([0-9a-f]{64})\n {3}public: ([0-9a-f]{64})\n$/.exec(stdout) ?? [];
  expect(code).toBe(0);
  const encoded = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url');
  const jwk = { kty: 'OKP', crv: 'X25519', x: encoded(x) };
  const [publicKey, privateKey] = [
    createPublicKey({ key: jwk, format: 'jwk' }),
    createPrivateKey({ key: { ...jwk, d: encoded(d) }, format: 'jwk' }),
  ];
  const other = generateKeyPairSync('x25519');
  expect(diffieHellman({ privateKey, publicKey: other.publicKey })).toEqual(
    diffieHellman({ privateKey: other.privateKey, publicKey }),
  );
});

/**
 * `crossbar-ts keys` and `crossbar-ts keygen`: key pairs, in hex as Crossbar.io prints them.
 */
import { resolveCbdir } from '../node/cbdir.js';
import { nodeKey, payloadKey, PRIVATE_KEY_FILE } from '../node/node-key.js';

export interface KeysOptions {
  readonly cbdir?: string;
  /** Shows the private key, too. */
  readonly private?: boolean;
}

/** Shows the key pair of a node (Ed25519), and makes it when there is none. @throws NodeError */
export function showKeys({ cbdir: option, private: isPrivate = false }: KeysOptions): void {
  const cbdir = resolveCbdir({ option, env: process.env, cwd: process.cwd() });
  const { key, isNew } = nodeKey({ cbdir, env: process.env, nowMs: Date.now() });
  if (isNew) process.stdout.write(`a new key pair was made in ${cbdir}: keep ${PRIVATE_KEY_FILE} to yourself\n`);
  process.stdout.write(`   public: ${key.publicKey}\n`);
  if (isPrivate) process.stdout.write(`  private: ${key.privateKey}\n`);
}

/** Makes a key pair for the end-to-end encryption of payloads (X25519), and shows it. */
export function keygen(): void {
  const { privateKey, publicKey } = payloadKey();
  process.stdout.write(`  private: ${privateKey}\n   public: ${publicKey}\n`);
}

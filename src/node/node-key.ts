/**
 * The key pair of a node (Ed25519), in Crossbar.io's files: `key.priv` for its owner alone, `key.pub` for everybody. A line of
 * text, an empty line, then lines `tag: value`. The tags for Ethereum are read and left out where a file is made.
 */
import { generateKeyPairSync, createPrivateKey, createPublicKey } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import path from 'node:path';

import { errorCode, messageOf } from '../system/error.js';
import { NodeError } from './error.js';

/** In the node directory. */
export const PRIVATE_KEY_FILE = 'key.priv';
/** In the node directory. */
export const PUBLIC_KEY_FILE = 'key.pub';

/** A key pair, and what else stands in its files. */
export interface NodeKey {
  /** 32 octets each, in hex. */
  readonly publicKey: string;
  readonly privateKey: string;
  readonly tags: ReadonlyMap<string, string>;
}

const PUBLIC_TAG = 'public-key-ed25519';
const PRIVATE_TAG = 'private-key-ed25519';
/** In the order of the files; `eth` tags are Crossbar.io's and stay where they are. */
const TAGS: readonly string[] = [
  ...['creator', 'created-at', 'machine-id', 'node-authid', 'node-cluster-ip'],
  ...['public-adr-eth', PUBLIC_TAG, 'private-key-eth', PRIVATE_TAG],
];

export interface KeyPlace {
  /** The node directory. */
  readonly cbdir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** When a key is made; milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * Reads the key pair of a node, and makes one when there is none. Modes that are too wide are put right.
 *
 * @throws NodeError `ERR_NODE_DIRECTORY` when the files cannot be read or written, or do not fit each other.
 */
export function nodeKey(place: KeyPlace): { readonly key: NodeKey; readonly isNew: boolean } {
  const privateFile = path.join(place.cbdir, PRIVATE_KEY_FILE);
  const publicFile = path.join(place.cbdir, PUBLIC_KEY_FILE);
  try {
    const text = readIfPresent(privateFile);
    const publicText = readIfPresent(publicFile);
    if (text === undefined && publicText !== undefined) {
      throw new Error(`${publicFile} is there without its private key: move it away first`);
    }
    const key = text === undefined ? makeKey(place) : parseKey(text, privateFile);
    if (text === undefined) writeNew(privateFile, textOf(key, true), 0o600);
    else protect(privateFile);
    if (publicText === undefined) writeNew(publicFile, textOf(key, false), 0o644);
    else if (tagsOf(publicText, publicFile).get(PUBLIC_TAG) !== key.publicKey) {
      throw new Error(`${publicFile} does not belong to ${privateFile}`);
    }
    return { key, isNew: text === undefined };
  } catch (cause) {
    throw new NodeError('ERR_NODE_DIRECTORY', `the key of the node: ${messageOf(cause)}`, { cause });
  }
}

/** Makes a key pair for the end-to-end encryption of payloads (X25519). @returns 32 octets each, in hex. */
export function payloadKey(): Pick<NodeKey, 'publicKey' | 'privateKey'> {
  const { x = '', d = '' } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  return { publicKey: hexOf(x), privateKey: hexOf(d) };
}

function makeKey({ env, nowMs }: KeyPlace): NodeKey {
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const { x = '', d = '' } = key.export({ format: 'jwk' });
  const [publicKey, privateKey] = [hexOf(x), hexOf(d)];
  const tags = new Map([
    ['creator', `${userInfo().username}@${hostname()}`],
    ['created-at', new Date(nowMs).toISOString()],
    ['machine-id', readIfPresent('/etc/machine-id')?.trim() ?? 'unknown'],
    ['node-authid', env['CROSSBAR_NODE_ID'] ?? hostname()],
    ['node-cluster-ip', env['CROSSBAR_NODE_CLUSTER_IP'] ?? '127.0.0.1'],
    [PUBLIC_TAG, publicKey],
    [PRIVATE_TAG, privateKey],
  ]);
  return { publicKey, privateKey, tags };
}

function parseKey(text: string, file: string): NodeKey {
  const tags = tagsOf(text, file);
  const privateKey = keyIn(tags, PRIVATE_TAG, file);
  const publicKey = keyIn(tags, PUBLIC_TAG, file);
  if (publicOf(privateKey) !== publicKey) throw new Error(`the two keys in ${file} do not fit each other`);
  return { publicKey, privateKey, tags };
}

function tagsOf(text: string, file: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const line of text.split('\n').slice(1)) {
    if (line.trim() === '') continue;
    const [, tag = '', value = ''] = /^([\w-]+):\s*(.*?)\s*$/.exec(line) ?? [];
    // The line itself may be the key.
    if (!TAGS.includes(tag)) throw new Error(`${file} has a line that is no tag of a key file`);
    if (tags.has(tag)) throw new Error(`${file} has two lines ${tag}`);
    tags.set(tag, value);
  }
  return tags;
}

function keyIn(tags: ReadonlyMap<string, string>, tag: string, file: string): string {
  const key = tags.get(tag) ?? '';
  if (!/^[0-9a-f]{64}$/i.test(key)) throw new Error(`${file} has no ${tag} of 64 hexadecimal digits`);
  return key.toLowerCase();
}

/** What stands before the 32 octets of a private key in PKCS #8 (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

function publicOf(privateKey: string): string {
  const der = Buffer.concat([PKCS8_PREFIX, Buffer.from(privateKey, 'hex')]);
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  return hexOf(key.export({ format: 'jwk' }).x ?? '');
}

function hexOf(base64url: string): string {
  return Buffer.from(base64url, 'base64url').toString('hex');
}

function textOf({ tags }: NodeKey, isPrivate: boolean): string {
  const title = isPrivate ? 'The private key of a node. Nobody else may see it.' : 'The public key of a node.';
  const shown = TAGS.filter((tag) => tags.has(tag) && (isPrivate || !tag.startsWith('private-')));
  return `${title}\n\n${shown.map((tag) => `${tag}: ${String(tags.get(tag))}\n`).join('')}`;
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function writeNew(file: string, text: string, mode: number): void {
  writeFileSync(file, text, { flag: 'wx', mode });
}

function protect(file: string): void {
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
}

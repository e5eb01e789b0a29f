/**
 * Other WAMP routers, to be measured beside ours: those of npm, which are fetched when somebody asks for them, and any
 * that runs already.
 *
 * They are no dependencies of this project. They are installed into a directory of their own, with fixed versions and
 * without install scripts, and started by the few lines in peers/ that switch nothing on that costs.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { WampSession } from './load/wamp-session.js';
import { Violations } from './load/sequence.js';
import { startForeign } from './servers.js';

const DIRECTORY = path.join(import.meta.dirname, '.peers');
const HELLO_SECONDS = 5;

/** npm package -> the version that is measured. */
const VERSIONS = /** @type {Readonly<Record<string, string>>} */ ({ 'fox-wamp': '0.7.28', 'wamp.rt': '0.2.0' });

/** @typedef {{ name: string, realm: string, package?: string, running?: { url: string, pid: number } }} Peer */

export const PEER_PACKAGES = Object.keys(VERSIONS);

/**
 * @param {string} name of an npm package in the table above
 * @returns {Peer | undefined} undefined for another one
 */
export function peerPackage(name) {
  const version = VERSIONS[name];
  return version === undefined ? undefined : { name: `${name} ${version}`, realm: 'realm1', package: name };
}

/**
 * @param {Peer} peer
 * @returns {Promise<import('./servers.js').Server>} of which it is known that it lets clients in
 */
export async function startPeer({ running, realm, package: name = '' }) {
  if (running !== undefined) {
    return {
      ...running,
      probe: undefined,
      cookieFile: undefined,
      said: () => '',
      stop: () => Promise.resolve(undefined),
    };
  }
  const launcher = path.join(import.meta.dirname, 'peers', `${name}.cjs`);
  const server = await startForeign([launcher, installed(name)]);
  try {
    await greet(new URL(server.url), realm);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * @param {string} name
 * @returns {string} the directory of the package
 */
function installed(name) {
  const prefix = path.join(DIRECTORY, `${name}-${VERSIONS[name] ?? ''}`);
  const directory = path.join(prefix, 'node_modules', name);
  if (existsSync(path.join(directory, 'package.json'))) return directory;
  mkdirSync(prefix, { recursive: true });
  process.stderr.write(`installing ${name} into ${prefix}\n`);
  const args = ['install', '--prefix', prefix, '--ignore-scripts', '--no-audit', '--no-fund', '--no-save'];
  const { status, stderr } = spawnSync('npm', [...args, `${name}@${VERSIONS[name] ?? ''}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm could not install ${name}: ${stderr.trim()}`);
  return directory;
}

/**
 * @param {URL} url
 * @param {string} realm
 */
async function greet(url, realm) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no WELCOME in ${HELLO_SECONDS} seconds`)), HELLO_SECONDS * 1000);
  });
  const session = WampSession.open(url, realm, new Violations());
  // What comes of it after the deadline does not matter any more.
  session.catch(() => undefined);
  try {
    await Promise.race([session, late]);
  } finally {
    clearTimeout(timer);
    session.then(
      ({ client }) => client.drop(),
      () => undefined,
    );
  }
}

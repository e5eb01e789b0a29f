/**
 * The shape of the program, checked: which folder may import what (the map in ARCHITECTURE.md), and what must not
 * happen where. The rules are data; a new folder or a new edge is a change here, on purpose.
 *
 * The other tests that read the syntax of every file of src run here as well: parsing takes most of their time, and files of tests
 * that run in different threads would each do it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { authSchema } from '../src/auth/schema.js';
import { shippedWords } from '../src/config/families.js';
import type { ConfigSchema } from '../src/schema/dialect.js';
import './architecture/shape.js';
import './architecture/troubles.js';
import { sourceFacts } from './support/source-facts.js';

const SRC = path.resolve(import.meta.dirname, '../src');

interface FolderRule {
  /** Folders of ours that may be imported; its own always. */
  readonly folders: readonly string[];
  /** Folders of which only types may be imported. */
  readonly types?: readonly string[];
  /** Builtins without `node:` (`fs` covers `fs/promises`, `*` any) and packages. */
  readonly builtins?: readonly string[];
  /** Builtins of which only types may be imported. */
  readonly builtinTypes?: readonly string[];
  readonly packages?: readonly string[];
}

const FOLDERS: Readonly<Record<string, FolderRule>> = {
  wamp: { folders: [] },
  collections: { folders: [] },
  schema: { folders: [] },
  log: { folders: [], packages: ['pino'] },
  audit: { folders: ['log', 'system'], builtinTypes: ['stream'] },
  // What is counted: plain fields, which the other folders add to, and the text that is made of them.
  metrics: { folders: ['wamp'], builtins: ['fs', 'perf_hooks', 'timers'] },
  system: {
    // A lock asks for the sockets by which others tell that they are alive, and whether their pids are. Programs are started here.
    folders: [],
    types: ['wamp'],
    builtins: [
      ...['buffer', 'child_process', 'crypto', 'events', 'fs', 'module', 'net', 'os', 'path', 'timers', 'url', 'util'],
    ],
    builtinTypes: ['stream'],
  },
  serializer: { folders: ['wamp'], builtins: ['buffer', 'worker_threads'] },
  router: { folders: ['wamp', 'collections', 'metrics'], types: ['log'] },
  // What carries messages and values between nodes. Only the folders in it know a system by name.
  engine: {
    folders: ['log', 'system'],
    builtins: ['fs', 'timers'],
    packages: ['@nats-io/transport-node', '@nats-io/jetstream', '@nats-io/kv'],
  },
  // The other nodes: what joins the realms of several nodes.
  cluster: {
    folders: ['wamp', 'log', 'router', 'serializer', 'system', 'engine'],
    builtins: ['crypto', 'timers'],
  },
  cookie: {
    folders: ['wamp', 'log', 'metrics', 'system', 'engine'],
    // Stores are lent to other processes of the node over a socket.
    builtins: ['fs', 'net', 'path', 'crypto', 'timers', 'worker_threads', 'zlib'],
    builtinTypes: ['http'],
    packages: ['cookie', 'lmdb'],
  },
  auth: {
    folders: ['wamp', 'cookie', 'log', 'system'],
    builtins: ['crypto', 'fs', 'path', 'timers'],
    packages: ['@redis/client', 'jose'],
  },
  session: { folders: ['wamp', 'router', 'auth', 'cookie', 'log', 'metrics'] },
  transport: {
    folders: ['wamp', 'collections', 'serializer', 'session', 'cookie', 'log', 'metrics', 'system'],
    types: ['auth'],
    builtins: ['net', 'http', 'tls', 'crypto', 'dns', 'fs', 'path', 'buffer', 'worker_threads'],
    builtinTypes: ['stream'],
    packages: ['ws'],
  },
  // Connections in a process of their own. Both ends of the link are here.
  front: {
    folders: ['wamp', 'serializer', 'session', 'transport', 'log', 'system'],
    types: ['auth', 'cookie', 'metrics'],
    builtins: ['net', 'url'],
    builtinTypes: ['http'],
  },
  // A program of its own: it has the transports of a worker without its realms.
  'front-program': {
    folders: ['front', 'worker', 'webservice', 'transport', 'serializer', 'session', 'cookie', 'auth', 'log', 'system'],
    builtins: ['cluster', 'net'],
  },
  // A program of its own: a node of one worker, for another node.
  'router-program': {
    folders: ['node', 'worker', 'log', 'system'],
    builtins: ['net'],
  },
  // A client of MQTT is a session of WAMP over a transport of its own.
  mqtt: {
    folders: ['wamp', 'serializer', 'session', 'transport', 'log', 'metrics', 'system'],
    types: ['auth'],
    builtins: ['buffer'],
    builtinTypes: ['net'],
    packages: ['mqtt-packet'],
  },
  http: {
    folders: ['transport', 'collections', 'log', 'system'],
    types: ['metrics'],
    builtins: ['http', 'net', 'crypto'],
    builtinTypes: ['stream'],
  },
  webservice: {
    // The bodies of the HTTP bridge are what JSON is in WAMP.
    folders: [
      ...['wamp', 'serializer', 'cookie', 'auth', 'session', 'client', 'transport', 'http', 'log', 'metrics', 'system'],
      ...['monitor', 'mqtt'],
    ],
    // A reverse proxy is a client of HTTP.
    builtins: ['buffer', 'crypto', 'fs', 'http', 'https', 'net', 'path', 'stream', 'tls', 'util', 'zlib'],
    packages: ['ws', 'send', 'cookie', 'jose', 'openid-client', 'busboy'],
  },
  client: { folders: ['wamp', 'serializer', 'auth', 'session', 'log'], types: ['router'] },
  // The client of a container: what connects, and the process that runs modules and the components that we ship.
  remote: {
    folders: ['client', 'component', 'auth', 'serializer', 'transport', 'wamp', 'log', 'system'],
    builtins: ['crypto', 'fs', 'net', 'tls', 'url', 'util', 'worker_threads'],
    packages: ['ws'],
  },
  component: { folders: ['client', 'session', 'auth', 'serializer', 'wamp', 'log', 'system'], types: ['router'] },
  // It looks at what is there: realms, cookies, logins. A certificate is read when somebody looks.
  monitor: {
    folders: ['wamp', 'log', 'router', 'cookie', 'session'],
    types: ['auth'],
    builtins: ['crypto', 'fs', 'timers', 'url'],
  },
  worker: {
    folders: [
      ...['wamp', 'log', 'system', 'serializer', 'router', 'cookie', 'auth', 'session', 'transport', 'http'],
      ...['webservice', 'client', 'component', 'remote', 'monitor', 'metrics', 'mqtt', 'front'],
    ],
    builtins: ['fs', 'path', 'timers', 'url', 'v8'],
    builtinTypes: ['net', 'stream'],
  },
  // The warnings about roles ask the rules of the router themselves.
  config: {
    folders: ['wamp', 'router', 'system'],
    builtins: ['fs', 'path', 'net'],
    packages: ['ajv', 'jsonc-parser', 'yaml'],
  },
  node: {
    folders: [
      ...['wamp', 'log', 'audit', 'system', 'cookie', 'auth', 'session', 'client', 'transport', 'worker', 'config'],
      ...['monitor', 'metrics', 'cluster', 'engine'],
    ],
    types: ['router'],
    builtins: ['*'],
  },
  cli: {
    // `init` makes the keys of new users.
    folders: ['node', 'config', 'log', 'system', 'auth'],
    types: ['cookie', 'monitor'],
    builtins: ['events', 'fs', 'path', 'readline', 'stream', 'zlib'],
    packages: ['commander'],
  },
};

/** What the package exports. The one file that stands in no folder, and the one that gathers names of others. */
const PUBLIC_FACE = 'index.ts';

/**
 * Folders whose schemas (`schema.ts`, `...-schema.ts`) the others, and `config/` above all, put together into one. What rules a
 * schema has stand beside it (`rules.ts`, `...-rules.ts`), and come with it.
 */
const WITH_SCHEMA = [
  'log',
  'audit',
  'auth',
  'cluster',
  'component',
  'cookie',
  'engine',
  'mqtt',
  'remote',
  'router',
  'transport',
  'webservice',
  'worker',
];

/** Where a rule does not hold, and why. */
const EXCEPTIONS: readonly { file: string; name: string; because: string }[] = [
  {
    file: 'system/module.ts',
    name: '(computed)',
    because: 'the config names the modules that a node loads; this is the one place that does',
  },
  {
    file: 'system/processes.ts',
    name: 'process',
    because: 'a lock asks whether a pid is alive; it does not touch the life of this process',
  },
  {
    file: 'system/process/group.ts',
    name: 'process',
    because: 'only process.kill reaches a group of processes; it does not touch the life of this process',
  },
  {
    file: 'system/process/kill.ts',
    name: 'process',
    because: 'only process.kill ends another process; it does not touch the life of this one',
  },
  {
    file: 'front/program-file.ts',
    name: 'process',
    because: 'the program is run by the same Node.js as the node',
  },
  {
    file: 'worker/router-program-file.ts',
    name: 'process',
    because: 'the program is run by the same Node.js as the node',
  },
  {
    file: 'router-program/main.ts',
    name: 'process',
    because: 'it is a program of its own',
  },
  ...['main', 'parent', 'front-process'].map((name) => ({
    file: `front-program/${name}.ts`,
    name: 'process',
    because: 'it is a program of its own',
  })),
  {
    file: 'remote/host-channel.ts',
    name: 'process',
    because: 'it is part of a program of its own, which ends when the node is gone, also while the program is busy',
  },
  {
    file: 'remote/module-host.ts',
    name: 'process',
    because: 'it is a program of its own',
  },
  {
    file: 'remote/module-host-file.ts',
    name: 'process',
    because: 'the program is run by the same Node.js as the node',
  },
  {
    file: 'transport/outbox/flusher.ts',
    name: 'process',
    because: 'process.nextTick is the one way to write once per turn of the event loop, before anything else runs',
  },
];

/** @returns what is wrong with a file, one line each. @param file - path below src, such as `router/realm.ts` */
function violations(file: string, text: string): string[] {
  if (file === PUBLIC_FACE) {
    return sourceFacts(text).onlyReexports ? [] : [`${file}: must only export names of other files, one by one`];
  }
  const folder = path.dirname(file).split(path.sep)[0] ?? '';
  const rule = FOLDERS[folder];
  if (rule === undefined || !file.includes('/')) return [`${file}: the folder is missing from the table`];
  const facts = sourceFacts(text);
  const found = facts.imports
    .filter(({ specifier, typeOnly }) => !mayImport({ file, folder, rule, specifier, typeOnly }))
    .map(({ specifier, typeOnly }) => `${file}: must not import ${typeOnly ? 'types of ' : ''}${specifier}`);
  for (const name of forbiddenNames(folder)) {
    if (facts.names.has(name) && !isException(file, name)) found.push(`${file}: must not use ${name}`);
  }
  if (folder === 'router' && facts.asynchronous) found.push(`${file}: must not use async or await`);
  return found;
}

function forbiddenNames(folder: string): readonly string[] {
  const names = ['console'];
  if (folder !== 'cli' && folder !== 'node') names.push('process');
  if (folder === 'router') names.push('Promise', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask');
  return names;
}

interface Edge {
  readonly file: string;
  readonly folder: string;
  readonly rule: FolderRule;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function mayImport({ file, folder, rule, specifier, typeOnly }: Edge): boolean {
  if (specifier.startsWith('.')) {
    const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
    return target.endsWith('.js') && mayImportOwn({ file, folder, rule, target, typeOnly });
  }
  if (specifier.startsWith('node:')) {
    const builtin = specifier.slice('node:'.length).split('/')[0] ?? '';
    if (builtin === 'process') return isException(file, 'process');
    return mayUse(rule.builtins, builtin) || (typeOnly && mayUse(rule.builtinTypes, builtin));
  }
  if (typeOnly && specifier === 'json-schema-to-ts') return folder === 'schema' || file.endsWith('/schema.ts');
  if (specifier === '(computed)') return isException(file, specifier);
  return mayUse(rule.packages, specifier);
}

function mayImportOwn({ file, folder, rule, target, typeOnly }: Omit<Edge, 'specifier'> & { target: string }): boolean {
  const [to = '', ...rest] = target.split('/');
  if (to === folder || rule.folders.includes(to)) return true;
  if (typeOnly && (to === 'schema' || rule.types?.includes(to) === true)) return true;
  if (!WITH_SCHEMA.includes(to) || !isSchema(rest.join('/'))) return false;
  return typeOnly || folder === 'config' || isSchema(path.posix.basename(file));
}

/** @param file - below its folder */
function isSchema(file: string): boolean {
  return /(^|\/)([a-z-]+-)?schema\.[jt]s$/.test(file);
}

function mayUse(allowed: readonly string[] | undefined, name: string): boolean {
  return allowed !== undefined && (allowed.includes(name) || allowed.includes('*'));
}

function isException(file: string, name: string): boolean {
  return EXCEPTIONS.some((exception) => exception.file === file && exception.name === name);
}

/** Every source file: path below src -> text. */
function sources(): Map<string, string> {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Map(files.map((file) => [file.split(path.sep).join('/'), readFileSync(path.join(SRC, file), 'utf8')]));
}

/** @returns the first ring of run-time imports, undefined when there is none. */
function findCycle(files: ReadonlyMap<string, string>): string[] | undefined {
  const done = new Set<string>();
  const walk = (file: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const { specifier, typeOnly } of sourceFacts(files.get(file) ?? '').imports) {
      if (typeOnly || !specifier.startsWith('.')) continue;
      const target = path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts');
      const cycle = walk(target, [...trail, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of files.keys()) {
    const cycle = walk(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/**
 * Where no transport, worker, store, service, method, serializer or component kind is known by name: what has to be done about one,
 * its schema says, and its registry does.
 */
const WITHOUT_WORDS = ['config', 'node', 'worker'];

/** Where a word of a family means something else, and what. */
const OTHER_WORDS: readonly { file: string; word: string; because: string }[] = [
  { file: 'config/rules/cookies.ts', word: 'cookie', because: 'a word of "authid"' },
  { file: 'config/rules/exposure.ts', word: 'cookie', because: 'a word of "authid"' },
  ...['config/rules/exposure.ts', 'config/version1/upgrade.ts', 'config/version1/yaml-text.ts'].flatMap((file) =>
    ['caller', 'publisher'].map((word) => ({ file, word, because: 'a word of "disclose"' })),
  ),
  { file: 'config/places.ts', word: 'cookie', because: 'the key of a section' },
  { file: 'config/reference.ts', word: 'cookie', because: 'the name of a definition in the published schema' },
  { file: 'config/reference.ts', word: 'none', because: 'there is no default' },
  { file: 'config/schema.ts', word: 'none', because: 'there is no default' },
  { file: 'config/resolve.ts', word: 'file', because: 'a word of the keyword "is"' },
  { file: 'config/places.ts', word: 'file', because: 'a word of the keyword "is"' },
  { file: 'config/password-cookies.ts', word: 'cookie', because: 'a word of "authid"' },
  { file: 'node/cbdir.ts', word: 'file', because: 'the opposite of a directory' },
  { file: 'worker/router-worker.ts', word: 'router', because: 'its own word' },
  { file: 'worker/container/container-worker.ts', word: 'container', because: 'its own word' },
  { file: 'worker/container/look.ts', word: 'module', because: 'a key of the config' },
  { file: 'worker/container/look.ts', word: 'tls', because: 'a key of the config' },
  { file: 'worker/container/schema.ts', word: 'container', because: 'the schema of that worker' },
  { file: 'worker/guest/guest-worker.ts', word: 'guest', because: 'its own word' },
  { file: 'worker/guest/schema.ts', word: 'guest', because: 'the schema of that worker' },
  { file: 'worker/guest/schema.ts', word: 'file', because: 'a word of the keyword "is"' },
  { file: 'worker/guest/schema.ts', word: 'json', because: 'a word of "stdin"' },
  { file: 'worker/proxy/rules.ts', word: 'mqtt', because: 'its sessions are none of WAMP, and cannot be in fronts' },
  { file: 'worker/proxy/front.ts', word: 'router', because: 'a proxy leads to these workers only' },
  { file: 'worker/proxy/proxy-worker.ts', word: 'proxy', because: 'its own word' },
  { file: 'worker/schema.ts', word: 'proxy', because: 'the schema of that worker' },
  { file: 'worker/testee/testee-worker.ts', word: 'websocket-testee', because: 'its own word' },
  { file: 'worker/testee/schema.ts', word: 'websocket-testee', because: 'the schema of that worker' },
  { file: 'worker/schema.ts', word: 'router', because: 'the schema of that worker' },
  { file: 'worker/common-schema.ts', word: 'file', because: 'a word of the keyword "is"' },
  { file: 'node/session-control.ts', word: 'session', because: 'a key of a request: a session of WAMP' },
];

/** And no way of asking somebody who a client is. */
const VARIANTS = Object.values(authSchema.properties)
  .flatMap((method: ConfigSchema) => method.oneOf ?? [])
  .map(({ properties }) => String(properties?.['type']?.const));

const WORDS: ReadonlySet<string> = new Set([...Object.values(shippedWords()).flat(), ...VARIANTS]);

/** @returns the words of families that a file knows, one line each. @param file - path below src */
function knownWords(file: string, text: string): string[] {
  if (!WITHOUT_WORDS.includes(file.split('/')[0] ?? '')) return [];
  return [...sourceFacts(text).words]
    .filter((word) => WORDS.has(word) && !OTHER_WORDS.some((other) => other.file === file && other.word === word))
    .map((word) => `${file}: must not know ${word}`);
}

describe('the source', () => {
  const files = sources();

  it('keeps to the table of imports and to the rules of each folder', () => {
    expect(files.size).toBeGreaterThan(0);
    expect([...files].flatMap(([file, text]) => violations(file, text))).toEqual([]);
  });

  it('has no import cycle', () => {
    expect(findCycle(files)).toBeUndefined();
  });

  it('has no barrel but the public face', () => {
    expect([...files.keys()].filter((file) => path.posix.basename(file) === 'index.ts')).toEqual([PUBLIC_FACE]);
  });

  it('knows no word of a family where all words are alike', () => {
    expect([...files].flatMap(([file, text]) => knownWords(file, text))).toEqual([]);
  });

  it('has every word that means something else', () => {
    const unused = OTHER_WORDS.filter(({ file, word }) => !sourceFacts(files.get(file) ?? '').words.has(word));
    expect(unused).toEqual([]);
  });

  it('needs every exception that is made', () => {
    const unused = EXCEPTIONS.filter(({ file, name }) => {
      const text = files.get(file);
      if (text === undefined) return true;
      const { names, imports } = sourceFacts(text);
      return !names.has(name) && !imports.some(({ specifier }) => [name, `node:${name}`].includes(specifier));
    });
    expect(unused).toEqual([]);
  });
});

describe('a violation is found', () => {
  it.each([
    ['router/a.ts', "import { x } from '../session/session.js';", 'must not import ../session/session.js'],
    ['router/a.ts', "import { shortId } from '../log/logger.js';", 'must not import ../log/logger.js'],
    ['router/a.ts', "export { x } from '../session/session.js';", 'must not import ../session/session.js'],
    ['router/a.ts', "let x: import('../session/session.js').X;", 'must not import types of ../session/session.js'],
    ['router/a.ts', "void import('../session/session.js');", 'must not import ../session/session.js'],
    ['router/a.ts', 'void import(anything);', 'must not import (computed)'],
    ['cookie/a.ts', "import { request } from 'node:http';", 'must not import node:http'],
    ['router/a.ts', "import { createHash } from 'node:crypto';", 'must not import node:crypto'],
    ['wamp/a.ts', "import type { X } from 'pino';", 'must not import types of pino'],
    ['session/a.ts', "import { pino } from 'pino';", 'must not import pino'],
    ['session/a.ts', "import process from 'node:process';", 'must not import node:process'],
    ['cookie/a.ts', "import { x } from '../wamp/id';", 'must not import ../wamp/id'],
    ['cookie/a.ts', "import { x } from '../router/schema.js';", 'must not import ../router/schema.js'],
    ['config/a.ts', "import { x } from '../session/session.js';", 'must not import ../session/session.js'],
    ['node/a.ts', "import { run } from '../cli/main.js';", 'must not import ../cli/main.js'],
    ['cli/a.ts', "import { Router } from '../router/router.js';", 'must not import ../router/router.js'],
    [
      'serializer/a.ts',
      "import type { FromSchema } from 'json-schema-to-ts';",
      'must not import types of json-schema-to-ts',
    ],
    ['router/a.ts', 'export const f = async () => 1;', 'must not use async or await'],
    ['router/a.ts', 'export async function f() { await 1; }', 'must not use async or await'],
    ['router/a.ts', 'export let p: Promise<void>;', 'must not use Promise'],
    ['router/a.ts', 'setTimeout(f, 1);', 'must not use setTimeout'],
    ['session/a.ts', 'const x = process.env;', 'must not use process'],
    ['node/a.ts', "console.log('x');", 'must not use console'],
    ['plugins/a.ts', '', 'the folder is missing from the table'],
    ['a.ts', '', 'the folder is missing from the table'],
    ['index.ts', 'export const x = 1;', 'must only export names of other files, one by one'],
    ['index.ts', "import './node/node.js';", 'must only export names of other files, one by one'],
    ['index.ts', "export * from './node/node.js';", 'must only export names of other files, one by one'],
    ['node/a.ts', "import { startNode } from '../index.js';", 'must not import ../index.js'],
  ])('%s: %s', (file, text, expected) => {
    expect(violations(file, text)).toEqual([`${file}: ${expected}`]);
  });

  it.each([
    ['router/a.ts', "import type { Logger } from '../log/logger.js';"],
    ['router/schema.ts', "import type { FromSchema } from 'json-schema-to-ts';"],
    ['transport/websocket/schema.ts', "import { cookieSchema } from '../cookie/schema.js';"],
    ['config/schema.ts', "import { realmSchema } from '../router/schema.js';"],
    ['session/a.ts', 'async function f() { await process1; }'],
    ['session/a.ts', "// process.exit and console.log in a comment\nconst text = 'process';"],
    ['session/a.ts', 'const x = { process: 1 }.process;'],
    ['cookie/a.ts', "import { open } from 'node:fs/promises';"],
    ['cookie/a.ts', "import type { IncomingMessage } from 'node:http';"],
    ['node/a.ts', 'process.exit(0);'],
    ['index.ts', "export { a, b as c } from './node/node.js';\nexport type { T } from './node/api.js';"],
  ])('and nothing else: %s: %s', (file, text) => {
    expect(violations(file, text)).toEqual([]);
  });

  it.each([
    ["if (type === 'websocket') f();", ['websocket']],
    ["const kinds = new Set(['memory', `file`]);", ['memory', 'file']],
    ["f({ cookie: 'wampcra' });", ['wampcra']],
    ["place.get('path'); place.at('auth', 'cookie'); x['file']; 'tls' in x; f({ 'json': 1 });", []],
    ["import { x } from 'module'; // 'router'", []],
  ])('words of families: %s', (text, words) => {
    expect(knownWords('config/a.ts', text)).toEqual(words.map((word) => `config/a.ts: must not know ${word}`));
    expect(knownWords('cookie/a.ts', text)).toEqual([]);
  });

  it('also a ring of imports', () => {
    const ring = new Map([
      ['wamp/a.ts', "import { b } from './b.js';"],
      ['wamp/b.ts', "import { c } from './c.js';"],
      ['wamp/c.ts', "import { b } from './b.js';"],
    ]);
    expect(findCycle(ring)).toEqual(['wamp/b.ts', 'wamp/c.ts', 'wamp/b.ts']);
    const types = new Map([
      ['wamp/a.ts', "import { b } from './b.js';"],
      ['wamp/b.ts', "import type { A } from './a.js';"],
    ]);
    expect(findCycle(types)).toBeUndefined();
  });
});

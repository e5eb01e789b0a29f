/**
 * Every example of the package that is a whole config, each in a node directory with all that it names: the files in
 * `config/`, the demo, those in `examples/`, what `init` writes, and the configs in README.md and `docs/`. Ports are free ones of 127.0.0.1; nothing
 * else is changed.
 */
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { parse } from 'yaml';
import { templateNames } from '../../src/cli/init/template.js';
import { Cursor } from '../../src/config/cursor.js';
import { cookiesOf, placesOf as configPlaces, transportsOf, workersOf } from '../../src/config/places.js';
import type { TransportOffer } from '../../src/transport/offer.js';
import { Certificates } from './certificates.js';
import type { Daemon } from './daemon.js';
import { runCli, temporaryDirectory } from './daemon.js';
import { zipOf } from './zips.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What the examples ask of the environment; `PORT` is set by every start. */
export const EXAMPLE_SECRETS = {
  JOE_TICKET: 'the ticket of joe',
  SHOP_TICKET: 'the ticket of the shop',
  COOKIE_SECRET: 'a secret, long enough',
  BRIDGE_SECRET: 'the secret of the shop',
  SESSION_SECRET: 'a secret, long enough',
} as const;

export interface Example {
  /** Where it stands; with a number where several stand in one document. */
  readonly name: string;
  /** The config as it was written, without its syntax. */
  readonly load: () => Promise<unknown>;
}

const read = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');

/** All of them. YAML is a superset of JSON. */
export function allExamples(): readonly Example[] {
  const samples = readdirSync(path.join(ROOT, 'config')).filter((name) => /(?<!\.schema)\.(json|ya?ml)$/.test(name));
  const programs = readdirSync(path.join(ROOT, 'examples')).flatMap((name) =>
    readdirSync(path.join(ROOT, 'examples', name, '.crossbar'))
      .filter((file) => file.endsWith('.json'))
      .map((file) => `examples/${name}/.crossbar/${file}`),
  );
  const files = [...samples.map((name) => `config/${name}`), '.crossbar/config.json', ...programs];
  const documents = ['README.md', ...readdirSync(path.join(ROOT, 'docs')).map((name) => `docs/${name}`)];
  return [
    ...files.map((name) => ({ name, load: () => Promise.resolve<unknown>(parse(read(name))) })),
    ...templateNames(ROOT).map((name) => ({
      name: `crossbar-ts init --template ${name}`,
      load: () => initialized(name),
    })),
    ...documents.flatMap(configsIn),
  ];
}

/** Blocks of a document that are a whole config: those with workers. */
function configsIn(document: string): Example[] {
  const blocks = [...read(document).matchAll(/^```(?:json|ya?ml)\n([^]*?)^```/gm)].map(([, text = '']) => text);
  const whole = blocks.filter((text) => /^\s*"?workers"?:/m.test(text));
  return whole.map((text, index) => ({
    name: whole.length === 1 ? document : `${document} #${index + 1}`,
    load: () => Promise.resolve<unknown>(parse(text)),
  }));
}

async function initialized(template: string): Promise<unknown> {
  const appdir = temporaryDirectory();
  const { code, stderr } = await runCli(['init', '--template', template, '--appdir', appdir]);
  if (code !== 0) throw new Error(`init failed: ${stderr}`);
  return parse(readFileSync(path.join(appdir, '.crossbar/config.json'), 'utf8'));
}

/** A node directory for a config, with everything that one of the examples names. */
export function exampleDirectory(config: unknown, certificates: Certificates): string {
  const top = temporaryDirectory();
  const cbdir = path.join(top, '.crossbar');
  mkdirSync(path.join(cbdir, 'secrets'), { recursive: true });
  for (const name of ['pat', 'worker', 'cookies', 'company', 'github']) {
    writeFileSync(path.join(cbdir, `secrets/${name}.txt`), 'a secret, long enough\n', { mode: 0o600 });
  }
  writeFileSync(path.join(cbdir, 'secrets/alice.key'), `${Buffer.alloc(32, 'alice').toString('base64')}\n`, {
    mode: 0o600,
  });
  writeFileSync(path.join(cbdir, 'secrets/joe.key'), `${'ab'.repeat(32)}\n`, { mode: 0o600 });
  for (const name of ['component.js', 'guestbook.py']) cpSync(path.join(ROOT, 'config', name), path.join(cbdir, name));
  writeFileSync(path.join(cbdir, 'authenticator.js'), `export const authenticate = () => 'backend';\n`);
  for (const [module, document] of Object.entries({ 'presence.mjs': 'presence', 'clock.js': 'frontend' })) {
    const [, code = ''] = /^```js\n([^]*?)^```/m.exec(read(`docs/${document}.md`)) ?? [];
    writeFileSync(path.join(cbdir, module), code);
  }
  writeFileSync(path.join(cbdir, 'package.json'), '{ "type": "module" }');
  cpSync(certificates.directory, cbdir, { recursive: true });
  cpSync(path.join(ROOT, 'web'), path.join(top, 'web'), { recursive: true });
  mkdirSync(path.join(top, 'public'));
  mkdirSync(path.join(top, 'data/sessions'), { recursive: true, mode: 0o700 });
  writeFileSync(path.join(top, 'public/readme.txt'), 'for everybody\n');
  writeFileSync(
    path.join(cbdir, 'pages.zip'),
    zipOf([{ name: 'dist/index.html', content: '<h1>packed</h1>', method: 0 }]),
  );
  writeFileSync(path.join(cbdir, 'config.json'), JSON.stringify(onFreePorts(config)));
  return cbdir;
}

/** The key of an issuer of tokens, as it publishes it. */
function issuerKey(): object {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256' };
}

/** The certificates under the names that the examples give them, and keys. */
export function exampleCertificates(): Certificates {
  const certificates = new Certificates(temporaryDirectory());
  for (const name of ['clients-ca.pem', 'ca.pem']) certificates.write(name, certificates.text('root.pem'));
  certificates.write('keys.json', JSON.stringify({ keys: [issuerKey()] }));
  certificates.openssl(
    'genpkey',
    '-genparam',
    '-algorithm',
    'DH',
    '-pkeyopt',
    'group:ffdhe2048',
    '-out',
    'dhparam.pem',
  );
  return certificates;
}

function onFreePorts(config: unknown): unknown {
  const copy: unknown = structuredClone(config);
  // There is no NATS here, and a node in a cluster waits for it: it is one of a cluster in its own memory.
  if (typeof copy === 'object' && copy !== null && 'cluster' in copy)
    copy.cluster = { type: 'memory', name: 'example' };
  for (const transport of transportsOf(new Cursor(copy))) {
    const endpoint = transport.get('endpoint');
    // Whoever looks at examples is no proxy.
    endpoint.remove('proxy_protocol');
    if (endpoint.get('type').value === 'systemd') {
      endpoint.remove('name');
      endpoint.set('type', 'tcp');
    }
    if (endpoint.get('type').value !== 'tcp') continue;
    endpoint.remove('portrange');
    endpoint.set('port', 0);
    endpoint.set('interface', '127.0.0.1');
  }
  return copy;
}

/** A place of a running example where clients connect, or where a page is. */
export interface Place {
  readonly kind: 'websocket' | 'longpoll' | 'rawsocket' | 'page';
  /** `TRANSPORT PATH`: the number of the transport, and the path on it. */
  readonly name: string;
  readonly url: string;
  readonly tls: ConnectionOptions;
}

/** All places of an example, in the order of its config. */
export function placesOf(config: unknown, daemon: Daemon, certificates: Certificates): readonly Place[] {
  // Somebody without a certificate, who trusts that of the node; some examples send no intermediate one.
  const tls = { ca: ['root.pem', 'intermediate.pem'].map((name) => certificates.text(name)) };
  const listening = daemon.listening();
  const workers = configPlaces(new Cursor(config)).workers.filter(
    ({ worker }) => worker.at('options', 'disabled').value !== true,
  );
  const entrances = workers.flatMap((worker) => worker.entrances);
  const transports = workers.flatMap((worker) => worker.transports);
  return transports.flatMap((transport, index) => {
    const { url, beside } = listening[index] as unknown as Pick<TransportOffer, 'url' | 'beside'>;
    const place = (kind: Place['kind'], { path: keys }: Cursor): Place => {
      if (kind === 'rawsocket') return { kind, name: `${index} ${kind}`, url: beside?.[0]?.url ?? url, tls };
      const [urlPath, base] = [urlPathOf(keys), url.replace(/^(http|ws)/, kind === 'websocket' ? 'ws' : 'http')];
      return { kind, name: `${index} ${kind} ${urlPath}`, url: base.replace(/\/$/, '') + urlPath, tls };
    };
    const hasPages = !['rawsocket', 'mqtt'].includes(transport.get('type').text() ?? '');
    const here = entrances.filter(
      (entrance) => entrance.transport.path.join() === transport.path.join() && !speaksMqtt(entrance.place),
    );
    return [
      ...here.map(({ browsers, place: where }) => place(browsers ? webKindOf(where) : 'rawsocket', where)),
      ...(hasPages ? [transport, ...servicesOf(transport)].map((where) => place('page', where)) : []),
    ];
  });
}

/** Clients of MQTT hear of no cookie that a client of WAMP could not. What the config says of them stands in their options. */
function speaksMqtt({ path: keys }: Cursor): boolean {
  return keys.at(-1) === 'options';
}

/** By what browsers connect there. */
function webKindOf(place: Cursor): 'websocket' | 'longpoll' {
  return place.get('type').value === 'longpoll' ? 'longpoll' : 'websocket';
}

/** Every service of a transport, however deep. */
function servicesOf(place: Cursor): readonly Cursor[] {
  const below = place
    .get('paths')
    .entries()
    .flatMap((service) => [service, ...servicesOf(service)]);
  const { isObject } = place.get('web');
  return isObject ? [...servicesOf(place.get('web')), ...place.get('websocket').entries()] : below;
}

/** The path of a service in its URL: the keys that follow `paths`, or `websocket` of a universal transport. */
function urlPathOf(keys: readonly string[]): string {
  const names = keys.filter((_key, at) => keys[at - 1] === 'paths' || keys[at - 1] === 'websocket');
  return `/${names.filter((name) => name !== '/').join('/')}`;
}

export function hasCookies(config: unknown): boolean {
  return cookiesOf(configPlaces(new Cursor(config))).some(({ cookie }) => cookie.isObject);
}

export function realmsOf(config: unknown): readonly string[] {
  return realmCursors(config).map((realm) => realm.get('name').text() ?? '');
}

/** A URI for each rule of an example, and some that nobody thought of. */
export function urisOf(config: unknown): readonly string[] {
  const rules = realmCursors(config).flatMap((realm) =>
    realm
      .get('roles')
      .items()
      .flatMap((role) => role.get('permissions').items()),
  );
  const uris = rules.map((rule) => {
    const uri = rule.get('uri').text() ?? '';
    if (rule.get('match').value === 'wildcard') return uri.replace(/^(?=\.)|(?<=\.)(?=\.|$)/g, 'x');
    return uri.endsWith('*') || rule.get('match').value === 'prefix' ? `${uri.replace(/\*$/, '')}probe` : uri;
  });
  const told = uris.filter((uri) => !/^(wamp|crossbar)\./.test(uri));
  return [...new Set([...told, 'com.example.public.probe', 'com.example.chat', 'org.example.probe'])];
}

function realmCursors(config: unknown): readonly Cursor[] {
  return workersOf(new Cursor(config)).flatMap((worker) => worker.get('realms').items());
}

/** Every file of a node directory and beside it, relative to the directory. */
export function filesOf(cbdir: string): readonly string[] {
  const entries = readdirSync(cbdir, { recursive: true, withFileTypes: true });
  const names = entries.map((entry) => path.relative(cbdir, path.join(entry.parentPath, entry.name)));
  return names.filter((name) => existsSync(path.join(cbdir, name)));
}

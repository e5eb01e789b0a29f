/**
 * A word more in each family: its schema is all that a config needs of it. It is loaded, its files and secrets are found, its
 * realms and roles are checked, and it stands in the reference.
 */
import { describe, expect, it } from 'vitest';

import { checkConfig } from '../../../src/config/check.js';
import type { CheckedConfig } from '../../../src/config/check.js';
import { ConfigError } from '../../../src/config/error.js';
import { nodeSchemaOf, shippedWords } from '../../../src/config/families.js';
import { parseJson } from '../../../src/config/source/json.js';
import { cookiesOf, entrancesOf, placesOf, privateFilesOf } from '../../../src/config/places.js';
import { referencePage } from '../../../src/config/reference.js';
import { Cursor } from '../../../src/config/cursor.js';
import { nodeSchemaTree } from '../../../src/config/schema.js';
import { compile } from '../../../src/config/validator.js';
import { SHIPPED } from '../../../src/worker/registry.js';
import { handshake, mill, MORE, oracle, pigeon, robot, shelf } from '../../support/more-words.js';
import { node } from './configs.js';
import { routerOf } from '../../support/checked.js';

const tree = nodeSchemaOf(MORE);
const schema = { tree, check: compile({ optimize: false }, tree).validate };

function check(value: unknown): CheckedConfig {
  return checkConfig(JSON.stringify(value), 'config.json', {
    parse: parseJson,
    cbdir: '/node',
    env: { GRIP: 'firm' },
    secretFiles: () => ({ secret: 'from a file' }),
    schema,
  });
}

function problemsOf(value: unknown): string[] {
  try {
    check(value);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ pointer, text }) => `${pointer}: ${text}`);
  }
}

/** The transports, components and paths of the node in `configs.ts`, and one more thing. */
const withTransport = (more: object) =>
  node({ worker: { transports: [{ type: 'pigeon', endpoint: { type: 'tcp', port: 1 }, loft: 'loft', ...more }] } });
const withService = (more: object, web: object = {}) =>
  node({ web: { paths: { ask: { type: 'oracle', password: { file: 'pw' }, ...more } }, ...web } });
const withStore = (...stores: readonly object[]) =>
  node({
    web: {
      paths: Object.fromEntries(
        stores.map((store, index) => [
          `ws${index}`,
          { type: 'websocket', cookie: { store: { type: 'shelf', ...store } } },
        ]),
      ),
    },
  });

describe('a transport more', () => {
  it('is loaded, and its files are found', () => {
    const [transport] = routerOf(check(withTransport({ serializers: ['smile'] })).config)?.transports ?? [];
    expect(transport).toMatchObject({ id: 'transport001', loft: '/node/loft', serializers: ['smile'] });
  });

  it('is a place where clients connect', () => {
    const value = withTransport({ auth: {} });
    expect(entrancesOf(placesOf(new Cursor(value), tree))).toMatchObject([{ by: 'pigeon', browsers: false }]);
    Object.assign(value.workers[0] ?? {}, { realms: [{ name: 'realm1', roles: [{ name: 'owner' }] }] });
    expect(check(value).warnings.map(({ text }) => text)).toEqual([
      'clients of this pigeon get the role "anonymous", but no realm of the worker has it',
    ]);
  });

  it('has rules of its own, and its word is suggested', () => {
    expect(problemsOf(withTransport({ loft: 'nowhere' }))).toEqual([
      '/workers/0/transports/0/loft: found no loft (allowed: one)',
    ]);
    expect(problemsOf(withTransport({ type: 'pigoen' }))).toEqual([
      '/workers/0/transports/0/type: found "pigoen", did you mean "pigeon"? (allowed: "web", "websocket", "rawsocket", "mqtt", "universal", "flashpolicy", "websocket.testee", "stream.testee", "pigeon")',
    ]);
  });
});

describe('a worker more', () => {
  const withWorker = (more: object) => ({ ...node(), workers: [...node().workers, { type: 'mill', ...more }] });

  it('is loaded, named, and its files are found', () => {
    expect(check(withWorker({ grain: 'rye' })).config.workers[1]).toEqual({
      type: 'mill',
      id: 'worker002',
      grain: '/node/rye',
    });
  });

  it('does not change what is said of the others', () => {
    expect(problemsOf(withWorker({ type: 'routr' }))).toEqual([
      '/workers/1/type: found "routr", did you mean "router"? (allowed: "router", "container", "guest", "proxy", "websocket-testee", "mill")',
    ]);
  });
});

describe('a service more', () => {
  it('is loaded wherever it is mounted, with its secrets', () => {
    const nested = { paths: { a: { type: 'path', paths: { b: { type: 'oracle', password: '${GRIP}' } } } } };
    expect(routerOf(check(node({ web: nested })).config)?.transports[0]).toMatchObject({
      paths: { a: { paths: { b: { password: 'firm' } } } },
    });
  });

  it('knows the sections in force above it', () => {
    const { warnings } = check(withService({}, { cookie: { name: 'crumb' } }));
    expect(warnings.map(({ text }) => text)).toContain('the oracle sees the cookie crumb');
  });
});

describe('a component kind more', () => {
  it('is loaded, and its realm and role are checked', () => {
    const withComponent = (more: object) =>
      node({ worker: { components: [{ type: 'robot', realm: 'realm1', role: 'anonymous', ...more }] } });
    expect(routerOf(check(withComponent({})).config)?.components).toMatchObject([
      { type: 'robot', id: 'component001' },
    ]);
    expect(problemsOf(withComponent({ role: 'boss' }))).toEqual([
      '/workers/0/components/0/role: the realm "realm1" does not have a role "boss" (allowed: "anonymous")',
    ]);
    expect(problemsOf(withComponent({ realm: 'moon' }))).toEqual([
      '/workers/0/components/0/realm: the worker has no realm "moon" (allowed: "realm1")',
    ]);
  });
});

describe('a cookie store more', () => {
  it('is loaded, and its place is found', () => {
    expect(routerOf(check(withStore({ board: 'oak' })).config)?.transports[0]).toMatchObject({
      paths: { ws0: { cookie: { store: { type: 'shelf', board: '/node/oak', depth: 1 } } } },
    });
  });

  it('is shared by the sections that name its place, which have to agree', () => {
    expect(problemsOf(withStore({ board: 'oak' }, { board: './oak', depth: 2 }))).toEqual([
      '/workers/0/transports/0/paths/ws1/cookie/store/depth: found 2, but /workers/0/transports/0/paths/ws0/cookie keeps its cookies in the same place with 1 (allowed: the same value, or another place)',
    ]);
    const places = placesOf(new Cursor(withStore({ board: 'oak' })), tree);
    expect(cookiesOf(places).map(({ place }) => place?.value)).toEqual(['oak']);
    expect(privateFilesOf(places)).toEqual(new Set(['oak']));
  });

  it('is not served', () => {
    const value = withStore({ board: '../pages/oak' });
    Object.assign(value.workers[0]?.transports[0]?.paths ?? {}, { '/': { type: 'static', directory: '../pages' } });
    expect(problemsOf(value)).toEqual([
      '/workers/0/transports/0/paths/~1/directory: found "../pages", where "../pages/oak" is (allowed: a directory without files of the node)',
    ]);
  });
});

describe('an authentication method more', () => {
  const withMethod = (more: object) => node({ websocket: { auth: { handshake: more } } });

  it('is loaded, with its secrets, and its role is checked', () => {
    expect(routerOf(check(withMethod({ grip: '${GRIP}' })).config)?.transports[0]).toMatchObject({
      paths: { ws: { auth: { handshake: { grip: 'firm', role: 'anonymous' } } } },
    });
    const { notes } = check(withMethod({ role: 'boss' }));
    expect(notes.map(({ pointer, text }) => `${pointer}: ${text}`)).toEqual([
      '/workers/0/transports/0/paths/ws/auth/handshake/role: the worker has no realm with a role "boss", so such clients are refused (known: "anonymous")',
    ]);
  });

  it('may name a procedure that decides, which belongs to its role', () => {
    const elder = { elder: 'com.elder', 'elder-realm': 'realm1', 'elder-role': 'anonymous' };
    expect(check(withMethod(elder)).authenticators).toEqual([
      [{ procedure: 'com.elder', realm: 'realm1', role: 'anonymous' }],
    ]);
  });

  it('is seen to let strangers in', () => {
    const { warnings } = check(node({ websocket: { auth: { handshake: {} }, cookie: {} } }));
    expect(warnings.map(({ text }) => text).join()).toContain('strangers get this role');
  });
});

describe('a serializer more', () => {
  it('is loaded, and said where another word stands', () => {
    expect(check(node({ websocket: { serializers: ['smile', 'json'] } })).config.workers).toHaveLength(1);
    expect(problemsOf(node({ websocket: { serializers: ['simle'] } }))).toEqual([
      '/workers/0/transports/0/paths/ws/serializers/0: found "simle", did you mean "smile"? (allowed: "json", "msgpack", "cbor", "ubjson", "smile")',
    ]);
  });
});

describe('the reference', () => {
  const page = referencePage(tree);

  it.each([pigeon, mill, oracle, robot, shelf, handshake])(
    'has a section for $section, and a link to it',
    (variant) => {
      const { section, description } = variant;
      expect(page).toContain(`\n## ${section}\n\n${description}`);
      expect(page.split(`(#${section.toLowerCase().replaceAll('"', '').replaceAll(' ', '-')})`).length).toBeGreaterThan(
        2,
      );
    },
  );

  it('has the words', () => {
    for (const type of ['pigeon', 'mill', 'oracle', 'robot', 'shelf']) expect(page).toContain(`| \`${type}\` | [`);
    expect(page).toContain('"ubjson", "smile"');
  });
});

describe('the schema without more words', () => {
  it('is the one that we ship', () => {
    expect(referencePage(nodeSchemaOf({}))).toBe(referencePage(nodeSchemaTree));
  });

  it('has these words', () => {
    expect(shippedWords()).toEqual({
      workers: ['router', 'container', 'guest', 'proxy', 'websocket-testee'],
      transports: [
        ...['web', 'websocket', 'rawsocket', 'mqtt', 'universal', 'flashpolicy'],
        ...['websocket.testee', 'stream.testee'],
      ],
      services: [
        'websocket',
        'static',
        'archive',
        'json',
        'redirect',
        'upload',
        'login',
        'publisher',
        'caller',
        'webhook',
        'reverseproxy',
        'websocket-reverseproxy',
        'longpoll',
        'mqtt',
        'nodeinfo',
        ...['healthz', 'readyz', 'health'],
        'monitor',
        'metrics',
        'none',
        'path',
        'cgi',
        'wsgi',
        'resource',
      ],
      components: ['class', 'function', 'module', 'callee', 'subscriber'],
      stores: ['memory', 'file', 'database', 'nats'],
      methods: [
        ...['anonymous', 'cookie', 'ticket', 'wampcra', 'scram', 'cryptosign', 'tls', 'one_time', 'session', 'jwt'],
        ...['anonymous-proxy', 'cryptosign-proxy'],
      ],
      serializers: ['json', 'msgpack', 'cbor', 'ubjson'],
    });
  });

  it('has something behind each of them', () => {
    for (const [family, words] of Object.entries(shippedWords())) {
      const types = SHIPPED[family as keyof typeof SHIPPED];
      expect(Object.keys(types).sort(), family).toEqual([...words].sort());
      for (const [word, type] of Object.entries(types as Readonly<Record<string, { readonly type?: string }>>)) {
        expect(type.type ?? word).toBe(word);
      }
    }
  });
});

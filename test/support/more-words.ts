/**
 * A word more in each family, as a program of its own would bring them: a schema, and what does it. They are small, and they are real: the
 * pigeon carries messages, the shelf keeps cookies when the node has ended.
 */
import { readFileSync, writeFileSync } from 'node:fs';

import type { AuthMethodType } from '../../src/auth/method.js';
import { authSchema } from '../../src/auth/schema.js';
import { roleKeywords, secretSchema } from '../../src/auth/secret-schema.js';
import { accept, denied } from '../../src/auth/verdict.js';
import type { ComponentType } from '../../src/component/component-type.js';
import type { MoreWords } from '../../src/config/families.js';
import { MemoryCookieStore } from '../../src/cookie/memory.js';
import { cookieSchema } from '../../src/cookie/schema.js';
import type { CookieRecord } from '../../src/cookie/store.js';
import { sendAnswer } from '../../src/http/answer.js';
import type { WebService } from '../../src/http/service.js';
import type { Checked, ConfigSchema } from '../../src/schema/dialect.js';
import { jsonSerializer } from '../../src/serializer/json.js';
import type { Framing, Serializer, SerializerType } from '../../src/serializer/serializer.js';
import { createSessionDeps } from '../../src/session/deps.js';
import { serializersSchema } from '../../src/transport/connection-schema.js';
import { endpointSchema, transportIdSchema } from '../../src/transport/endpoint-schema.js';
import type { EndpointConfig } from '../../src/transport/endpoint-schema.js';
import { EndpointServer } from '../../src/transport/endpoint.js';
import { RawSocketAcceptor } from '../../src/transport/rawsocket/rawsocket.js';
import { rawsocketOptionsSchema } from '../../src/transport/rawsocket/schema.js';
import { urlOf, wampOffer } from '../../src/transport/transport-type.js';
import type { TransportType } from '../../src/transport/transport-type.js';
import { SHIPPED } from '../../src/worker/registry.js';
import type { Families } from '../../src/worker/registry.js';
import type { WorkerType } from '../../src/worker/worker.js';

const word = <const Word extends string>(text: Word) => ({ const: text, description: 'The word.' }) as const;

export const pigeon = {
  type: 'object',
  section: 'Transport "pigeon"',
  standsAt: 'workers[].transports[]',
  description: 'Carries messages by pigeons.',
  clients: { by: 'pigeon', browsers: false },
  required: ['type', 'endpoint', 'loft'],
  additionalProperties: false,
  properties: {
    type: word('pigeon'),
    id: transportIdSchema,
    endpoint: endpointSchema,
    loft: { type: 'string', is: 'file', description: 'Where they live.' },
    serializers: serializersSchema,
    options: rawsocketOptionsSchema,
    auth: authSchema,
  },
  rules: (place, { report }) => {
    if (place.get('loft').value === 'nowhere') report(place.get('loft').path, 'found no loft (allowed: one)');
  },
} as const satisfies ConfigSchema;

interface PigeonConfig extends Omit<Checked<typeof pigeon>, 'endpoint'> {
  readonly id: string;
  readonly endpoint: EndpointConfig;
}

/** They fly as RawSockets do. */
const pigeonType: TransportType<PigeonConfig> = {
  type: 'pigeon',
  async create(config, deps) {
    const { drain, families } = deps;
    const log = deps.log.child({ transport: config.id });
    const sessions = await createSessionDeps(config, { ...deps, log });
    const acceptor = new RawSocketAcceptor(config, { sessions, serializers: families.serializers, log, drain });
    return new EndpointServer(config.endpoint, acceptor, log);
  },
  offer: (config, bound) => ({ url: urlOf('pigeon', config.endpoint, bound), wamp: wampOffer(config), paths: [] }),
  cookieSections: () => [],
};

export const mill = {
  type: 'object',
  section: 'Worker "mill"',
  description: 'Grinds.',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: word('mill'),
    id: transportIdSchema,
    grain: { type: 'string', is: 'file', description: 'What it grinds.' },
  },
} as const satisfies ConfigSchema;

type MillConfig = Checked<typeof mill> & { readonly id: string };

const millType: WorkerType<MillConfig> = {
  type: 'mill',
  create: ({ grain = '' }) => ({
    start: () => Promise.resolve(writeFileSync(grain, 'grinds')),
    stop: () => Promise.resolve(writeFileSync(grain, 'flour')),
    summary: { listening: [], realms: [], components: [] },
  }),
  cookieSections: () => [],
  privateFiles: ({ grain }) => (grain === undefined ? [] : [grain]),
};

export const oracle = {
  type: 'object',
  section: 'Service "oracle"',
  description: 'Answers questions.',
  required: ['type', 'password'],
  additionalProperties: false,
  properties: { type: word('oracle'), cookie: cookieSchema, password: secretSchema('What it is asked with.') },
  rules: ({ path }, { inForce, warn }) => {
    const name = inForce('cookie').get('name').text();
    if (name !== undefined) warn(path, `the oracle sees the cookie ${name}`);
  },
} as const satisfies ConfigSchema;

/** As `WebServiceType`, whose configs are those of the words that we ship. */
const oracleType = {
  type: 'oracle',
  create: ({ password }: { readonly password: string }): WebService => ({
    handle: ({ query, cookie }, res) => {
      const body = query === `?${password}` ? `welcome, ${cookie?.cbtid ?? 'stranger'}` : 'silence';
      sendAnswer(res, { status: 200, type: 'text/plain', body });
    },
  }),
};

export const robot = {
  type: 'object',
  section: 'Component "robot"',
  description: 'Moves.',
  required: ['type', 'realm', 'role'],
  additionalProperties: false,
  properties: {
    type: word('robot'),
    id: transportIdSchema,
    realm: { type: 'string', is: 'realm', description: 'Where it moves.' },
    role: { type: 'string', is: 'role', description: 'What it may.' },
  },
} as const satisfies ConfigSchema;

type RobotConfig = Checked<typeof robot> & { readonly id: string };

const robotType: ComponentType<RobotConfig> = {
  type: 'robot',
  facts: () => ({ robot: true }),
  load: () => Promise.resolve((session) => session.register('robot.move', ([where]) => `moved ${String(where)}`)),
};

export const shelf = {
  type: 'object',
  section: 'Cookie store "shelf"',
  description: 'Keeps the cookies on a shelf.',
  required: ['type', 'board'],
  additionalProperties: false,
  properties: {
    type: word('shelf'),
    board: { type: 'string', is: 'file', private: true, identity: true, description: 'Where it hangs.' },
    depth: { type: 'integer', minimum: 1, default: 1, description: 'How many fit behind each other.' },
  },
} as const satisfies ConfigSchema;

/** A store in memory that is put down when the node ends, and taken up again. */
class Shelf extends MemoryCookieStore {
  readonly #board: string;

  constructor(board: string) {
    super();
    this.#board = board;
  }

  override async open(): Promise<void> {
    const kept = JSON.parse(readFileSync(this.#board, { encoding: 'utf8', flag: 'a+' }) || '[]') as CookieRecord[];
    for (const record of kept) await this.create(record);
  }

  override async close(): Promise<void> {
    writeFileSync(this.#board, JSON.stringify(await this.list()));
    await super.close();
  }
}

/** As `CookieStoreType`, whose words are those that we ship. */
const shelfType = {
  type: 'shelf',
  create: ({ board }: { readonly board: string }) => new Shelf(board),
  place: ({ board }: { readonly board: string }) => ({ board }),
  share: { key: ({ board }: { readonly board: string }) => Promise.resolve(board), join: () => Promise.resolve() },
};

export const handshake = {
  type: 'object',
  section: 'Authentication by handshake',
  description: 'Shakes hands.',
  letsIn: 'anybody',
  additionalProperties: false,
  properties: {
    role: roleKeywords,
    grip: secretSchema('How it feels.'),
    elder: { type: 'string', is: 'uri', provider: 'elder-role', description: 'Who is asked.' },
    'elder-realm': { type: 'string', is: 'realm', description: 'Where the elder is.' },
    'elder-role': { type: 'string', is: 'role', description: 'Who may be the elder.' },
  },
} as const satisfies ConfigSchema;

const handshakeType: AuthMethodType<{ readonly role: string; readonly grip?: string }> = {
  type: 'handshake',
  create: ({ role, grip }, { uris }) => ({
    start({ realm, authid = 'guest', authextra }) {
      if (authextra?.['grip'] !== grip) return denied(uris);
      return accept({ realm, authid, authrole: role, authmethod: 'handshake', authprovider: 'static' });
    },
  }),
};

const SMILE = ':)';

/** JSON behind a smile. */
const smileSerializer: Serializer = {
  type: 'smile',
  binary: false,
  decode: (bytes) => jsonSerializer.decode(bytes.subarray(SMILE.length)),
  values: (bytes) => jsonSerializer.values(bytes.subarray(SMILE.length)),
  encode: (message, framing) => jsonSerializer.encode(message, smiling(framing)),
  encodeShared: (event, framing) => jsonSerializer.encodeShared(event, smiling(framing)),
};

function smiling(framing: Framing): Framing {
  const headerBytes = (bytes: number): number => framing.headerBytes(bytes + SMILE.length);
  return {
    headerBytes: (bytes) => headerBytes(bytes) + SMILE.length,
    writeHeader(frame, bytes) {
      framing.writeHeader(frame, bytes + SMILE.length);
      frame.write(SMILE, headerBytes(bytes));
    },
  };
}

/** A number that the specification leaves free. */
export const SMILE_ID = 6;

const smileType: SerializerType = {
  single: smileSerializer,
  batched: { ...smileSerializer, type: 'smile.batched' },
  rawSocketId: SMILE_ID,
};

/** What the schema of a config needs of the words. */
export const MORE: Required<MoreWords> = {
  transports: [pigeon],
  workers: [mill],
  services: [oracle],
  components: [robot],
  stores: [shelf],
  methods: { handshake },
  serializers: ['smile'],
};

const more = {
  workers: { mill: millType },
  transports: { pigeon: pigeonType },
  services: { oracle: oracleType },
  components: { robot: robotType },
  stores: { shelf: shelfType },
  methods: { handshake: handshakeType },
  serializers: { smile: smileType },
};

/** What we ship, and the words. */
export const FAMILIES: Families = {
  workers: { ...SHIPPED.workers, ...more.workers },
  transports: { ...SHIPPED.transports, ...more.transports },
  services: { ...SHIPPED.services, ...more.services },
  components: { ...SHIPPED.components, ...more.components },
  stores: { ...SHIPPED.stores, ...more.stores },
  methods: { ...SHIPPED.methods, ...more.methods },
  serializers: { ...SHIPPED.serializers, ...more.serializers },
};

/**
 * The logins that bench/logins.js measures: for each the `auth` section, and what a client says. To add one: an entry in LOGINS.
 */
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { startRedis } from './redis.js';
import { Visitor } from './visitor.js';

const ISSUE = 'crossbar.ticket.issue';
/** In seconds: longer than a measurement. */
const TTL = 300;
const SECRET = randomBytes(24).toString('base64');
const ISSUER = 'https://id.example.com';
const AUDIENCE = 'bench';
const SESSION_ID = randomBytes(24).toString('base64url');

/**
 * @typedef {object} Conversation
 * @property {object} hello details of HELLO
 * @property {(challenge: any) => string} [answer] the signature of AUTHENTICATE, for the extra of CHALLENGE; without it no CHALLENGE comes
 * @property {string} [cookie] the `Cookie` header of the handshake
 *
 * @typedef {object} Preparation
 * @property {object} auth the section
 * @property {(url: URL, logins: number) => Promise<Conversation>} begin gets what so many logins need
 * @property {() => Promise<void>} [end]
 *
 * @typedef {object} Login
 * @property {string} name
 * @property {string} title
 * @property {string} word in the section `auth`
 * @property {(directory: string) => Promise<Preparation | string>} prepare resolves to why it cannot be measured here
 */

/** @type {readonly Login[]} */
export const LOGINS = [
  {
    name: 'anonymous',
    title: 'anonymous',
    word: 'anonymous',
    prepare: async () => ({
      auth: { anonymous: { type: 'static' } },
      begin: async () => ({ hello: { authmethods: ['anonymous'] } }),
    }),
  },
  {
    name: 'ticket',
    title: 'ticket (a password)',
    word: 'ticket',
    prepare: async () => ({
      auth: { ticket: { type: 'static', principals: { joe: { ticket: SECRET, role: 'anonymous' } } } },
      begin: async () => ({ hello: { authid: 'joe', authmethods: ['ticket'] }, answer: () => SECRET }),
    }),
  },
  {
    name: 'wampcra',
    title: 'WAMP-CRA',
    word: 'wampcra',
    prepare: async () => ({
      auth: { wampcra: { type: 'static', users: { joe: { secret: SECRET, role: 'anonymous' } } } },
      begin: async () => ({
        hello: { authid: 'joe', authmethods: ['wampcra'] },
        answer: ({ challenge }) => createHmac('sha256', SECRET).update(challenge).digest('base64'),
      }),
    }),
  },
  {
    name: 'one_time',
    title: 'one-time ticket',
    word: 'one_time',
    prepare: async () => ({
      auth: { one_time: { ttl: TTL, max: 100_000 }, anonymous: { type: 'static', role: 'backend' } },
      begin: async (url, logins) => {
        const tickets = await issueTickets(url, logins);
        return { hello: { authmethods: ['ticket'] }, answer: () => tickets.pop() ?? 'none is left' };
      },
    }),
  },
  token('HS256', async () => ({
    key: { secret: SECRET },
    signed: (text) => createHmac('sha256', SECRET).update(text).digest(),
  })),
  token('RS256', async (directory) => keyPair(directory, generateKeyPairSync('rsa', { modulusLength: 2048 }), {})),
  token('ES256', async (directory) =>
    keyPair(directory, generateKeyPairSync('ec', { namedCurve: 'P-256' }), { dsaEncoding: 'ieee-p1363' }),
  ),
  {
    name: 'session',
    title: 'Express session in Redis',
    word: 'session',
    prepare: async (directory) => {
      const redis = await startRedis(directory);
      if (redis === undefined) return 'there is no redis-server';
      await redis.set(`sess:${SESSION_ID}`, JSON.stringify({ cookie: {}, user: 'joe' }), 3600);
      const mac = createHmac('sha256', SECRET).update(SESSION_ID).digest('base64').replace(/=+$/, '');
      return {
        auth: {
          session: {
            type: 'express',
            secrets: [SECRET],
            store: { type: 'redis', url: redis.url },
            authid: 'user',
            role: 'anonymous',
          },
        },
        begin: async () => ({
          hello: { authmethods: ['session'] },
          cookie: `connect.sid=${encodeURIComponent(`s:${SESSION_ID}.${mac}`)}`,
        }),
        end: () => redis.stop(),
      };
    },
  },
];

/** The realm of all: a role for everybody, and one that issues tickets. */
export const REALM = {
  name: 'realm1',
  roles: [
    { name: 'anonymous', permissions: [{ uri: '', match: 'prefix', allow: { call: true, subscribe: true } }] },
    { name: 'backend', permissions: [{ uri: ISSUE, allow: { call: true } }] },
  ],
};

/** @param {URL} url @param {number} count @returns {Promise<string[]>} each for a user of its own: one has few at a time */
async function issueTickets(url, count) {
  const backend = await Visitor.open(url);
  await backend.join({ authmethods: ['anonymous'] });
  const tickets = [];
  for (let n = 0; n < count; n += 1) {
    const issued = await backend.call(ISSUE, { authid: `user${n}`, role: 'anonymous', ttl: TTL });
    tickets.push(issued.ticket);
  }
  backend.drop();
  return tickets;
}

/**
 * @typedef {{ key: object, signed: (text: string) => Buffer }} Signer what the config says of the key, and who has the other half
 *
 * @param {string} algorithm
 * @param {(directory: string) => Promise<Signer>} signerIn
 * @returns {Login}
 */
function token(algorithm, signerIn) {
  return {
    name: algorithm.toLowerCase(),
    title: `JWT, ${algorithm}`,
    word: 'jwt',
    prepare: async (directory) => {
      const { key, signed } = await signerIn(directory);
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'joe', iat: now, exp: now + 3600 };
      const encoded = [{ alg: algorithm, typ: 'JWT' }, claims].map((part) =>
        Buffer.from(JSON.stringify(part)).toString('base64url'),
      );
      const text = encoded.join('.');
      const jwt = `${text}.${signed(text).toString('base64url')}`;
      const issuer = { issuer: ISSUER, audience: AUDIENCE, algorithms: [algorithm], role: 'anonymous', ...key };
      return {
        auth: { jwt: { issuers: [issuer] } },
        begin: async () => ({ hello: { authmethods: ['jwt'] }, answer: () => jwt }),
      };
    },
  };
}

/**
 * @param {string} directory for the public key
 * @param {import('node:crypto').KeyPairKeyObjectResult} pair
 * @param {object} encoding of the signature
 * @returns {Signer}
 */
function keyPair(directory, { publicKey, privateKey }, encoding) {
  const file = path.join(directory, 'key.pem');
  writeFileSync(file, publicKey.export({ type: 'spki', format: 'pem' }));
  return {
    key: { keys: file },
    signed: (text) => sign('sha256', Buffer.from(text), { key: privateKey, ...encoding }),
  };
}

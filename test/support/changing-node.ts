/** A node whose config is another one after each reload: what changes takes turns, so that each part of it changes every tenth time. */
import { copyFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { Certificates } from './certificates.js';
import { LOOPBACK, openRealm } from './node-config.js';

/** How many parts of the config take turns. After two rounds it is the one it was. */
export const TURNS = 10;

/** The topic that may be published to after every other change of permissions. */
export const AT_TIMES = 'com.at-times';

const OPEN = [
  { uri: 'com.load', match: 'prefix', allow: { call: true, register: true, publish: true, subscribe: true } },
  { uri: 'com.example', match: 'prefix', allow: { call: true } },
  { uri: 'wamp.session.count', allow: { call: true } },
];

/** How often a part has changed after so many reloads. */
const changesOf = (turn: number, step: number): number => Math.floor((step - turn - 1) / TURNS) + 1;

/** Whether a part is other than it was at first. */
export const isOther = (turn: number, step: number): boolean => changesOf(turn, step) % 2 === 1;

/** The value of `/value` after so many reloads. */
export const valueAt = (step: number): string => `value ${String(changesOf(1, step) % 2)}`;

/** The ticket of `user` after so many reloads. */
export const ticketAt = (step: number): string => `ticket-${String(changesOf(5, step) % 2)}`;

/** The name in the certificate after so many reloads. */
export const certificateAt = (step: number): string => (isOther(4, step) ? 'other' : 'server');

/** The config after so many reloads. */
export function configAt(step: number): object {
  const is = (turn: number): boolean => isOther(turn, step);
  const permissions = is(0) ? [...OPEN, { uri: AT_TIMES, allow: { publish: true } }] : OPEN;
  const roles = [
    { name: 'anonymous', permissions },
    { name: 'user', permissions: OPEN },
    ...(is(8) ? [{ name: 'more', permissions: [] }] : []),
  ];
  const realm = { name: 'realm1', options: { max_retained_events: is(3) ? 10 : 20 }, roles };
  const cookie = { max_age: is(9) ? 1000 : 2000, store: { type: 'memory' } };
  const auth = { anonymous: { type: 'static' }, ticket: { type: 'static', principals: principals(step) } };
  const web = {
    ...{ type: 'web', id: 'plain', endpoint: LOOPBACK },
    paths: {
      '/': { type: 'json', value: 'here' },
      value: { type: 'json', value: valueAt(step) },
      ws: { type: 'websocket', options: { auto_ping_interval: is(2) ? 20_000 : 30_000 } },
      auth: { type: 'websocket', auth },
      tracked: { type: 'websocket', cookie },
      lp: { type: 'longpoll', options: { session_timeout: is(7) ? 40 : 50 } },
    },
  };
  const raw = {
    ...{ type: 'rawsocket', id: 'raw', endpoint: LOOPBACK },
    options: { hello_timeout: is(6) ? 6000 : 7000 },
  };
  const tls = { certificate: 'served.pem', key: 'served.key' };
  const secure = {
    ...{ type: 'web', id: 'secure', endpoint: { ...LOOPBACK, tls } },
    paths: { ws: { type: 'websocket' } },
  };
  const more = { type: 'web', id: 'more', endpoint: LOOPBACK, paths: { ws: { type: 'websocket' } } };
  return {
    version: 2,
    controller: {},
    workers: [
      {
        type: 'router',
        realms: [realm, ...(is(8) ? [openRealm('realm2')] : [])],
        transports: [web, raw, secure, ...(is(8) ? [more] : [])],
      },
    ],
  };
}

function principals(step: number): object {
  return { user: { ticket: ticketAt(step), role: 'user' } };
}

/** The certificates of a node directory, of which one is served at a time. */
export class ServedCertificates {
  readonly #certificates: Certificates;

  constructor(cbdir: string) {
    this.#certificates = new Certificates(cbdir);
    const san = 'subjectAltName=IP:127.0.0.1';
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', 'other.key'];
    this.#certificates.openssl(
      ...['req', '-x509', ...key, '-out', 'other.pem', '-days', '2', '-subj', '/CN=other', '-addext', san],
    );
    this.serve(0);
  }

  /** Puts the certificate of a step in its place, as programs do that renew certificates. */
  serve(step: number): void {
    const name = certificateAt(step);
    for (const kind of ['pem', 'key']) {
      const [from, to] = [`${name}.${kind}`, `served.${kind}`].map((file) => this.#certificates.file(file));
      copyFileSync(String(from), `${String(to)}.new`);
      renameSync(`${String(to)}.new`, path.resolve(String(to)));
    }
  }
}

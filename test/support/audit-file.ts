/** The lines of an audit log, each checked: what an event may have, and the form of every value. An unknown key is a fault. */
import { Ajv } from 'ajv';

/** A line. */
export type AuditEntry = Readonly<Record<string, unknown>> & { readonly event: string };

const TEXT = { type: 'string', minLength: 1, maxLength: 257 };
const COUNT = { type: 'integer', minimum: 0 };
const DIGEST = { type: 'string', pattern: '^[\\w-]{16}$' };
const POINTERS = { type: 'array', items: { type: 'string', pattern: '^/' } };
const PEER = { type: 'string', pattern: '^([\\d.]+|[\\da-f:]+)(:\\d+)?$|^(unix|component)$' };
const OUTCOMES = ['ok', 'denied', 'limited', 'failed'];

const SESSION = { realm: TEXT, session: COUNT, authid: TEXT, role: TEXT, cookie: DIGEST, peer: PEER, via: PEER };
const PLACE = { ...SESSION, transport: { enum: ['websocket', 'rawsocket', 'longpoll', 'http'] }, trace: TEXT };
const LOGIN = { ...PLACE, method: TEXT, provider: TEXT, path: { type: 'string', pattern: '^/' }, reason: TEXT };

interface Shape {
  readonly properties: object;
  readonly required: readonly string[];
}

const SHAPES: Readonly<Record<string, Shape>> = {
  'node started': { properties: { pid: COUNT, config: TEXT, version: TEXT }, required: ['pid', 'config', 'version'] },
  'node stopped': { properties: { pid: COUNT }, required: ['pid'] },
  'config loaded': { properties: { config: TEXT, cbdir: TEXT }, required: ['config', 'cbdir'] },
  login: { properties: { ...LOGIN, outcome: { enum: OUTCOMES }, subject: TEXT }, required: ['outcome', 'peer'] },
  logout: { properties: { ...LOGIN, actor: TEXT }, required: ['peer', 'cookie'] },
  'session killed': { properties: { ...PLACE, actor: TEXT, reason: TEXT }, required: ['session', 'actor', 'reason'] },
  'permission denied': {
    properties: { ...PLACE, outcome: { const: 'denied' }, action: TEXT, uri: TEXT, match: TEXT, again: COUNT },
    required: ['session', 'authid', 'role', 'action', 'uri', 'outcome'],
  },
  'cookie revoked': {
    properties: { ...SESSION, actor: TEXT, reason: TEXT, store: TEXT, digest: DIGEST, count: COUNT },
    required: ['actor'],
  },
  'cookie rotated': { properties: { ...SESSION, before: DIGEST }, required: ['cookie', 'before'] },
  'certificate changed': {
    properties: { subject: TEXT, validTo: TEXT, sha256: { type: 'string', pattern: '^[\\dA-F:]{95}$' } },
    required: ['subject', 'validTo', 'sha256'],
  },
  'config reloaded': {
    properties: {
      ...{ outcome: { enum: ['ok', 'failed'] }, changed: POINTERS, pending: POINTERS },
      ...{ revoked: COUNT, removed: COUNT, problems: COUNT, outdated: COUNT, killed: COUNT },
    },
    required: ['outcome'],
  },
  control: {
    properties: {
      ...{ ...SESSION, actor: TEXT, request: TEXT, id: COUNT, digest: DIGEST, worker: TEXT, sessions: COUNT },
      ...{ cookies: COUNT, reason: TEXT, all: { type: 'boolean' } },
      restart_components: { type: 'boolean' },
    },
    required: ['actor', 'request'],
  },
  'entries lost': { properties: { lost: COUNT }, required: ['lost'] },
};

const ajv = new Ajv({ strict: false, allErrors: true });
const checks = new Map(
  Object.entries(SHAPES).map(([event, { properties, required }]) => {
    const time = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' };
    const all = { time, event: { const: event }, ...properties };
    const needed = ['time', 'event', ...required];
    return [event, ajv.compile({ type: 'object', properties: all, required: needed, additionalProperties: false })];
  }),
);

/** @returns the entries of a whole file. @throws Error naming the first line that is not as it has to be. */
export function auditEntries(text: string): AuditEntry[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end');
  return text.split('\n').slice(0, -1).map(checked);
}

function checked(line: string): AuditEntry {
  const entry = JSON.parse(line) as AuditEntry;
  const check = checks.get(entry.event);
  if (check === undefined) throw new Error(`an unknown event: ${line}`);
  if (!check(entry)) throw new Error(`${ajv.errorsText(check.errors)}: ${line}`);
  return entry;
}

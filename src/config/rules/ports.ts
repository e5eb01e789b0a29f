/**
 * Who listens on which port. Two transports have no port in common, unless both say that they share it: then the first one
 * listens for all of them (`transport/shared-port.ts`), and they have to agree on how.
 */
import { isIP } from 'node:net';

import type { ConfigSchema } from '../../schema/dialect.js';
import type { Cursor } from '../cursor.js';
import { resolvePort } from '../environment.js';
import { listeningOf } from '../places.js';
import type { NodePlaces, WorkerPlaces } from '../places.js';
import { quote } from '../schema-words.js';
import { freeSchema, variantOf } from '../walk.js';
import type { SchemaTree } from '../walk.js';
import type { CheckRulesContext } from './context.js';

/** A transport and the ports that it may get. */
interface Claim {
  readonly worker: WorkerPlaces;
  readonly transport: Cursor;
  readonly endpoint: Cursor;
  readonly from: number;
  readonly to: number;
}

export function checkPorts({ workers }: NodePlaces, tree: SchemaTree, context: CheckRulesContext): void {
  const taken: Claim[] = [];
  const endpoints: Cursor[] = [];
  for (const worker of workers) {
    for (const transport of listeningOf(worker)) {
      const endpoint = transport.get('endpoint');
      endpoints.push(endpoint);
      checkAddress(endpoint, context);
      const claim = claimOf({ worker, transport, endpoint }, context);
      if (claim === undefined) continue;
      const other = taken.find((earlier) => meet(earlier, claim));
      if (other !== undefined) checkMeeting(other, claim, tree, context);
      taken.push(claim);
    }
  }
  const shared = taken.filter(isShared);
  // For others it listens, too, which have no port of their own.
  const followed = new Set(workers.flatMap(({ front }) => [...(front?.silent.values() ?? [])].map(pointer)));
  const isMet = (endpoint: Cursor): boolean => {
    if (followed.has(`/${endpoint.path.slice(0, -1).join('/')}`)) return true;
    const own = shared.find((claim) => claim.endpoint === endpoint);
    return own !== undefined && shared.some((other) => other !== own && meet(other, own));
  };
  for (const endpoint of endpoints) if (!isMet(endpoint)) noteUnshared(endpoint.get('shared'), context);
}

function noteUnshared({ value, path }: Cursor, { note }: CheckRulesContext): void {
  if (value !== true) return;
  note(
    path,
    'found true, which has no effect: one process serves all connections, so there is nobody to share the port with',
  );
}

/** @returns undefined where any free port will do, and where something is wrong. */
function claimOf(
  claim: Pick<Claim, 'worker' | 'transport' | 'endpoint'>,
  { env, report }: CheckRulesContext,
): Claim | undefined {
  const { endpoint } = claim;
  const [first, last] = endpoint.get('portrange').items();
  const port = resolvePort(first === undefined ? endpoint.get('port').value : first.value, env);
  if (typeof port === 'object') report(endpoint.get('port').path, `${port.problem} (allowed: a port from 0 to 65535)`);
  if (typeof port !== 'number' || port === 0) return undefined;
  return { ...claim, from: port, to: last?.number() ?? port };
}

function isRange({ from, to }: Claim): boolean {
  return to !== from;
}

/** Of two ranges each takes what the other leaves. */
function meet(a: Claim, b: Claim): boolean {
  if (isRange(a) && isRange(b)) return false;
  return a.from <= b.to && b.from <= a.to && overlap(a.endpoint, b.endpoint);
}

function isShared(claim: Claim): boolean {
  return claim.endpoint.get('shared').value === true && !isRange(claim);
}

function checkMeeting(earlier: Claim, later: Claim, tree: SchemaTree, context: CheckRulesContext): void {
  if (isShared(earlier) && isShared(later) && isOfOneKind(earlier, later))
    return checkSharing(earlier, later, tree, context);
  const { endpoint, from, to } = later;
  const place = pointer(earlier.transport);
  if (isRange(later)) {
    const text = `port ${earlier.from} of ${from} to ${to} is taken by ${place} (allowed: a range without it)`;
    return context.report(endpoint.get('portrange').path, text);
  }
  const isSure = !isRange(earlier);
  const text = isSure
    ? `port ${from} is taken by ${place} (allowed: another port, another interface, or "shared": true in both)`
    : `port ${from} may be taken by ${place} (allowed: a port outside of its range)`;
  context.report(endpoint.get('port').path, text);
}

/** A transport of one word is not the same in all kinds of workers. */
function isOfOneKind(a: Claim, b: Claim): boolean {
  return a.worker.worker.get('type').value === b.worker.worker.get('type').value;
}

/** What the transports on one port may have of their own. Realms and paths lead to the right one. */
const OF_THEIR_OWN: ReadonlySet<string> = new Set(['id', 'auth']);

function checkSharing(earlier: Claim, later: Claim, tree: SchemaTree, { report, note }: CheckRulesContext): void {
  const { from: port, transport, endpoint } = later;
  const place = pointer(earlier.transport);
  const other = difference(earlier.transport, transport, schemaAt(transport, tree), tree.definitions);
  if (other !== undefined) {
    const key = quote(other.path.at(-1) ?? '');
    return report(
      other.path,
      `shares port ${port} with ${place}, but has another ${key} (allowed: the same, or another port)`,
    );
  }
  if (earlier.worker === later.worker) {
    const text = `shares port ${port} with ${place} of the same worker, so of this one only paths of its own count`;
    return note(endpoint.get('shared').path, text);
  }
  const names = earlier.worker.realms.map((realm) => realm.get('name').value);
  const twice = later.worker.realms.map((realm) => realm.get('name').text()).filter((name) => names.includes(name));
  if (twice[0] === undefined) return;
  const realms = twice.map((name = '') => quote(name)).join(', ');
  note(
    endpoint.get('shared').path,
    `shares port ${port} with ${place}, whose worker comes first: clients who ask for ${realms} get there`,
  );
}

/** @returns the first place of `b` that is not as in `a`. Of objects with free keys, such as paths, only common keys count. */
function difference(
  a: Cursor,
  b: Cursor,
  schema: ConfigSchema | undefined,
  definitions: SchemaTree['definitions'],
): Cursor | undefined {
  if (Array.isArray(a.value) && Array.isArray(b.value)) {
    return JSON.stringify(a.value) === JSON.stringify(b.value) ? undefined : b;
  }
  if (!a.isObject || !b.isObject) return a.value === b.value ? undefined : b;
  const variant = (schema && variantOf(schema, b)) ?? schema;
  const free = variant && freeSchema(variant, definitions);
  for (const key of new Set([...a.entries(), ...b.entries()].map(({ path }) => path.at(-1) ?? ''))) {
    const [one, other] = [a.get(key), b.get(key)];
    if (OF_THEIR_OWN.has(key) || (free !== undefined && (one.missing || other.missing))) continue;
    const found = difference(one, other, variant?.properties?.[key] ?? free, definitions);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @returns the schema of a transport, in the list of a worker or the only one of it. */
function schemaAt({ path }: Cursor, { root }: SchemaTree): ConfigSchema | undefined {
  const workers = root.properties?.['workers']?.items?.oneOf ?? [];
  const schemas = workers.map(({ properties }) => properties?.[path[2] ?? '']);
  const found = schemas.find((schema) => schema !== undefined);
  return found?.items ?? found;
}

function pointer({ path }: { readonly path: readonly string[] }): string {
  return `/${path.join('/')}`;
}

function checkAddress(endpoint: Cursor, { report }: CheckRulesContext): void {
  const address = endpoint.get('interface').text();
  const version = endpoint.get('version');
  const actual = address === undefined ? 0 : isIP(address);
  if (actual !== 0 && version.number() !== undefined && version.value !== actual) {
    report(
      version.path,
      `found ${String(version.value)} beside the interface ${quote(address ?? '')} (allowed: ${actual})`,
    );
  }
}

function overlap(a: Cursor, b: Cursor): boolean {
  const [one, other] = [a.get('interface').text(), b.get('interface').text()];
  // All addresses of version 6 include those of version 4.
  if (ipVersion(a) !== ipVersion(b)) return isEverywhere(ipVersion(a) === 6 ? one : other);
  return one === other || isEverywhere(one) || isEverywhere(other);
}

function isEverywhere(address: string | undefined): boolean {
  return address === undefined || address === '0.0.0.0' || address === '::';
}

function ipVersion(endpoint: Cursor): number {
  return endpoint.get('version').number() ?? (endpoint.get('interface').text()?.includes(':') === true ? 6 : 4);
}

/**
 * The last step, on a config in which nothing is wrong. It names what has no name, puts in the values of environment variables
 * and secrets, makes paths absolute and spells patterns out. It changes the value in place.
 */
import { resolve } from 'node:path';

import type { Front } from '../schema/rules.js';
import type { Cursor } from './cursor.js';
import { resolveDisabled, resolvePort } from './environment.js';
import type { NodePlaces, WorkerPlaces } from './places.js';
import type { MarkedPlace } from './walk.js';
import { isDecided, patternAt } from './permissions.js';
import { resolveCookies } from './resolve-cookies.js';
import { findSecret } from './secrets.js';
import type { SecretContext } from './secrets.js';

export function resolveConfig(places: NodePlaces, context: SecretContext): void {
  const { env } = context;
  nameAll(
    places.workers.map(({ worker }) => worker),
    'worker',
  );
  for (const { worker, realms, front, components, transports } of places.workers) {
    if (front === undefined) nameAll(realms, 'realm');
    nameAll(components, 'component');
    nameAll(transports, 'transport');
    worker.get('options').set('disabled', resolveDisabled(worker.at('options', 'disabled').value, env));
    if (front === undefined) for (const realm of realms) resolveRealm(realm);
    else resolveFront(worker, front);
    for (const transport of transports) resolveEndpoint(transport.get('endpoint'), context);
  }
  for (const part of [places, ...places.workers]) resolveReferences(part, context);
  for (const { marked } of places.workers) for (const mark of marked) resolveBorrowed(mark, places.node);
  resolveCookies(places, context.cbdir);
}

/** The keyword `borrows`. */
function resolveBorrowed({ place, schema: { borrows } }: MarkedPlace, node: Cursor): void {
  if (borrows === undefined || !place.get(borrows.unless).missing) return;
  for (const key of borrows.keys) {
    const lent = node.at(borrows.from, key);
    if (!lent.missing) place.set(key, lent.value);
  }
}

function resolveFront(worker: Cursor, { target, silent, apart }: Front): void {
  if (target === undefined) return;
  const elsewhere = [...apart].map(([realm, to]) => [realm, to.get('id').text()] as const);
  const isHome = ![...apart.values()].some(({ path }) => path[1] === target.path[1]);
  worker.set('front', {
    ...(isHome && { worker: target.get('id').text() }),
    silent: [...silent.keys()],
    apart: Object.fromEntries(elsewhere),
  });
}

function resolveEndpoint(endpoint: Cursor, { env }: Pick<SecretContext, 'env'>): void {
  const port = endpoint.get('port');
  if (!port.missing) endpoint.set('port', resolvePort(port.value, env));
  const [first] = endpoint.get('portrange').items();
  if (first !== undefined) endpoint.set('port', first.value);
}

/** Gives numbered names, in the order of the file, and leaves out those that are taken. */
function nameAll(places: readonly Cursor[], prefix: string): void {
  const taken = new Set(places.map((place) => place.get('id').text()));
  let number = 0;
  for (const place of places) {
    number += 1;
    if (!place.get('id').missing) continue;
    let id = numbered(prefix, number);
    while (taken.has(id)) {
      number += 1;
      id = numbered(prefix, number);
    }
    place.set('id', id);
  }
}

function numbered(prefix: string, number: number): string {
  return prefix + String(number).padStart(3, '0');
}

/** The keyword `is`: makes files absolute, and puts secrets in the place of their names. */
function resolveReferences({ marked }: Pick<WorkerPlaces, 'marked'>, context: SecretContext): void {
  for (const { place, schema, holder } of marked) {
    const key = place.path.at(-1) ?? '';
    const file = place.text();
    if (schema.is === 'file' && file !== undefined) holder.set(key, resolve(context.cbdir, file));
    if (schema.is === 'secret') holder.set(key, findSecret(place, context)?.secret);
  }
}

function resolveRealm(realm: Cursor): void {
  const roles = realm.get('roles').items();
  for (const role of roles) {
    // What is accepted beside rules or an authorizer must not open what they leave closed.
    if (isDecided(role)) role.set('allow-by-default', false);
  }
  for (const permission of roles.flatMap((role) => role.get('permissions').items())) {
    const pattern = patternAt(permission);
    if (pattern === undefined) continue;
    permission.set('uri', pattern.uri);
    permission.set('match', pattern.match);
  }
}

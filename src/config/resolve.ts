/**
 * The last step on a config that is right: names for what has none, environment variables and relative paths
 * resolved, patterns spelt out. It changes the value in place.
 */
import { resolve } from 'node:path';

import type { Cursor } from './cursor.js';
import { resolveDisabled, resolvePort } from './environment.js';
import { finishCookies } from './resolve-cookies.js';
import { findSecret } from './secrets.js';
import type { SecretContext } from './secrets.js';
import { cookiesOf, secretsOf, servicesOf, transportsOf, workersOf } from './places.js';

export function finish(node: Cursor, context: SecretContext): void {
  const { cbdir, env } = context;
  nameAll(workersOf(node), 'worker');
  for (const worker of workersOf(node)) {
    nameAll(worker.get('realms').items(), 'realm');
    nameAll(worker.get('components').items(), 'component');
    nameAll(worker.get('transports').items(), 'transport');
    worker.get('options').set('disabled', resolveDisabled(worker.at('options', 'disabled').value, env));
    for (const realm of worker.get('realms').items()) finishRealm(realm);
  }
  for (const transport of transportsOf(node)) {
    finishEndpoint(transport.get('endpoint'), { cbdir, env });
    for (const service of servicesOf(transport)) makeAbsolute(service, 'directory', cbdir);
  }
  for (const cookie of cookiesOf(node)) {
    makeAbsolute(cookie.get('store'), 'filename', cbdir);
    makeAbsolute(cookie.get('store'), 'path', cbdir);
  }
  for (const { holder, key } of secretsOf(node)) holder.set(key, findSecret(holder.get(key), context)?.secret);
  finishCookies(node, context);
}

function finishEndpoint(endpoint: Cursor, { cbdir, env }: Pick<SecretContext, 'cbdir' | 'env'>): void {
  if (endpoint.get('type').value === 'unix') makeAbsolute(endpoint, 'path', cbdir);
  else endpoint.set('port', resolvePort(endpoint.get('port').value, env));
  const tls = endpoint.get('tls');
  for (const key of ['key', 'certificate', 'dhparam']) makeAbsolute(tls, key, cbdir);
  for (const key of ['chain_certificates', 'ca_certificates']) {
    const files = tls.get(key);
    if (!files.missing)
      tls.set(
        key,
        files.items().map((file) => resolve(cbdir, file.text() ?? '')),
      );
  }
}

/** Numbers in the order of the file, past the names that are taken. */
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

function finishRealm(realm: Cursor): void {
  const permissions = realm
    .get('roles')
    .items()
    .flatMap((role) => role.get('permissions').items());
  for (const permission of permissions) {
    const uri = permission.get('uri').text() ?? '';
    if (uri.endsWith('*')) {
      permission.set('uri', uri.slice(0, -1));
      permission.set('match', 'prefix');
    } else if (permission.get('match').missing) {
      permission.set('match', 'exact');
    }
  }
}

function makeAbsolute(place: Cursor, key: string, cbdir: string): void {
  const file = place.get(key).text();
  if (file !== undefined) place.set(key, resolve(cbdir, file));
}

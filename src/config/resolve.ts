/**
 * The last step on a config that is right: names for what has none, environment variables and relative paths
 * resolved, patterns spelt out. It changes the value in place.
 */
import type { Cursor } from './cursor.js';
import { resolveDisabled, resolvePort } from './environment.js';
import type { NodePlaces } from './places.js';
import { resolveReferences } from './references.js';
import { resolveCookies } from './resolve-cookies.js';
import type { SecretContext } from './secrets.js';

export function resolveConfig(places: NodePlaces, context: SecretContext): void {
  const { env } = context;
  nameAll(
    places.workers.map(({ worker }) => worker),
    'worker',
  );
  for (const { worker, realms, components, transports } of places.workers) {
    nameAll(realms, 'realm');
    nameAll(components, 'component');
    nameAll(transports, 'transport');
    worker.get('options').set('disabled', resolveDisabled(worker.at('options', 'disabled').value, env));
    for (const realm of realms) resolveRealm(realm);
    for (const transport of transports) resolveEndpoint(transport.get('endpoint'), context);
  }
  for (const worker of places.workers) resolveReferences(worker, context);
  resolveCookies(places, context.cbdir);
}

/** A socket file has no port. */
function resolveEndpoint(endpoint: Cursor, { env }: Pick<SecretContext, 'env'>): void {
  const port = endpoint.get('port');
  if (!port.missing) endpoint.set('port', resolvePort(port.value, env));
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

function resolveRealm(realm: Cursor): void {
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

/** The keyword `is`: realms, roles and secrets that a value names must exist. `resolve.ts` puts them in. */
import type { WorkerPlaces } from '../places.js';
import type { ConfigSchema } from '../../schema/dialect.js';
import { TRUSTED_ROLE } from '../../router/role.js';
import { quote } from '../schema-words.js';
import { findSecret } from '../secrets.js';
import type { Cursor } from '../cursor.js';
import type { MarkedPlace } from '../walk.js';
import type { CheckRulesContext } from './context.js';

/** Checks that the secrets are there that marked places name. */
export function checkSecrets(marked: readonly MarkedPlace[], context: CheckRulesContext): void {
  for (const { schema, place } of marked) if (schema.is === 'secret') checkSecret(place, context);
}

/** Checks all references in a worker. */
export function checkReferences(worker: WorkerPlaces, context: CheckRulesContext): void {
  checkSecrets(worker.marked, context);
  for (const mark of worker.marked) {
    if (leadsNowhere(worker)) continue;
    if (mark.schema.is === 'realm') checkRealm(mark, worker, context);
    if (mark.schema.is === 'role') checkRole(mark, worker, context);
  }
}

/** @returns whether a worker has the realms of another one, and that one is not there: everything else would be a consequence. */
export function leadsNowhere({ front }: Pick<WorkerPlaces, 'front'>): boolean {
  return front !== undefined && front.target === undefined;
}

/** Reports a secret that is not where the config says. */
function checkSecret(place: Cursor, context: CheckRulesContext): void {
  const found = findSecret(place, context);
  if (found === undefined) return;
  if (found.secret === undefined) context.report(place.path, `${found.problem} (allowed: one that holds the secret)`);
  else if (found.doubt !== undefined) context.warn(place.path, found.doubt);
}

/** A realm that is named must exist, or every such client would be refused. */
function checkRealm({ place, schema }: MarkedPlace, { realms }: WorkerPlaces, context: CheckRulesContext): void {
  const name = place.text();
  if (name === undefined || realms.some((realm) => realm.get('name').value === name)) return;
  tellAbsent(place, schema, `the worker has no realm ${quote(name)}`, names(realms), context);
}

/** A role that is named must exist, on its realm. */
function checkRole(mark: MarkedPlace, { realms }: WorkerPlaces, context: CheckRulesContext): void {
  const { place, schema } = mark;
  const role = place.text();
  if (role === undefined) return;
  const around = place.path[2] === 'realms' ? realms[Number(place.path[3])] : undefined;
  if (around !== undefined) {
    if (rolesOf([around], role).length > 0) return;
    if (role === TRUSTED_ROLE) return warnOfTrust(mark, context);
    context.report(place.path, `the realm has no role ${quote(role)} (allowed: one of its roles)`);
    return;
  }
  const name = realmBeside(mark)?.text();
  const candidates = name === undefined ? realms : realms.filter((realm) => realm.get('name').value === name);
  // A missing realm is reported at its own place.
  if ((name !== undefined && candidates.length === 0) || rolesOf(candidates, role).length > 0) return;
  if (role === TRUSTED_ROLE && candidates.length > 0) return warnOfTrust(mark, context);
  const where = name === undefined ? 'the worker has no realm with' : `the realm ${quote(name)} does not have`;
  tellAbsent(place, schema, `${where} a role ${quote(role)}`, names(rolesOf(candidates)), context);
}

/** What is not there is an error, unless the schema says what happens then. */
function tellAbsent(
  { path }: Cursor,
  { ifAbsent }: ConfigSchema,
  what: string,
  known: string,
  { report, note }: CheckRulesContext,
): void {
  if (ifAbsent === undefined) report(path, `${what} (allowed: ${known})`);
  else note(path, `${what}, so ${ifAbsent} (known: ${known})`);
}

/** Every realm has this role. Whoever gives it to somebody should know that there are no rules for it. */
function warnOfTrust({ place, around }: MarkedPlace, { warn }: CheckRulesContext): void {
  const what = `${quote(TRUSTED_ROLE)} is built into every realm, and may do everything there`;
  const who =
    around?.letsIn === 'anybody' ? 'EVERYBODY who connects here gets it' : 'give it to programs of yours only';
  warn(place.path, `the role ${what}: ${who} (a role of this name in the realm would have rules)`);
}

/** @returns the realm that an object names. */
export function realmBeside({ holder, around }: MarkedPlace): Cursor | undefined {
  const key = Object.entries(around?.properties ?? {}).find(([, { is }]) => is === 'realm')?.[0];
  return key === undefined ? undefined : holder.get(key);
}

function rolesOf(realms: readonly Cursor[], name?: string): Cursor[] {
  const roles = realms.flatMap((realm) => realm.get('roles').items());
  return name === undefined ? roles : roles.filter((role) => role.get('name').value === name);
}

function names(places: readonly Cursor[]): string {
  if (places.length === 0) return 'none, there are none yet';
  return places.map((place) => quote(place.get('name').text() ?? '')).join(', ');
}

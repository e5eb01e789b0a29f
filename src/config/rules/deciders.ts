/**
 * Who may register the procedures that decide about others: authenticators and authorizers. Their callees see tickets and decide
 * who is let in. So there is a warning where strangers, or sessions of several roles, may register one.
 */
import type { Decider } from '../../router/deciders.js';
import type { Cursor } from '../cursor.js';
import { quote } from '../schema-words.js';
import { isAllowed, rulesOf, strangerRolesOf } from './exposure.js';
import { behindFronts } from '../places.js';
import type { NodePlaces, WorkerPlaces } from '../places.js';
import { realmBeside } from './references.js';
import type { CheckRulesContext } from './context.js';

/** An authenticator or authorizer that the config names. */
interface WrittenDecider {
  readonly place: Cursor;
  readonly procedure: string;
  /** The key that names the role that may register it. */
  readonly provider: Cursor;
}

/** Warns of procedures that decide about others, where sessions may register them for whom that is not intended. */
export function checkDeciders(places: NodePlaces, context: CheckRulesContext): void {
  for (const worker of behindFronts(places)) {
    for (const realm of worker.realms) {
      const strangers = strangerRolesOf(worker, realm).map(nameOf);
      for (const decider of decidersOf(worker, realm)) checkDecider(decider, realm, strangers, context);
    }
  }
}

function checkDecider(
  { place, procedure, provider }: WrittenDecider,
  realm: Cursor,
  strangers: readonly string[],
  { warn }: CheckRulesContext,
): void {
  const key = quote(provider.path.at(-1) ?? '');
  const where = `on realm ${quote(nameOf(realm))}`;
  const chosen = provider.text();
  if (chosen !== undefined) {
    if (strangers.includes(chosen)) warn(provider.path, `strangers get the role ${quote(chosen)}, and may decide then`);
    return;
  }
  const able = realm
    .get('roles')
    .items()
    .filter((role) => role.get('authorizer').missing && isAllowed(rulesOf(role), 'register', procedure))
    .map(nameOf);
  const stranger = able.find((name) => strangers.includes(name));
  const cure = `(set ${key}, or leave the procedure out of what they may register)`;
  if (stranger !== undefined) {
    warn(
      place.path,
      `strangers get the role ${quote(stranger)} ${where}, and may register ${quote(procedure)}: the first who does sees what is asked, and decides ${cure}`,
    );
  } else if (able.length > 1) {
    const roles = able.map(quote).join(', ');
    warn(
      place.path,
      `several roles ${where} may register ${quote(procedure)}: ${roles}; the first who does decides ${cure}`,
    );
  }
}

/** @returns the authorizers of a realm's roles, and the authenticators for this realm or for all. */
function decidersOf({ marked }: WorkerPlaces, realm: Cursor): WrittenDecider[] {
  return marked.flatMap((mark) => {
    const { place, schema, holder } = mark;
    const procedure = place.text();
    if (schema.provider === undefined || procedure === undefined) return [];
    const isOfRole = place.path[2] === realm.path[2];
    const isMeant = isOfRole
      ? place.path[3] === realm.path[3]
      : [undefined, nameOf(realm)].includes(realmBeside(mark)?.text());
    return isMeant ? [{ place, procedure, provider: holder.get(schema.provider) }] : [];
  });
}

/** @returns the procedures that decide about clients, before a realm has them: all that are not named by a role. */
export function authenticatorsIn({ marked }: WorkerPlaces): Decider[] {
  return marked.flatMap((mark) => {
    const { place, schema, holder } = mark;
    const procedure = place.text();
    if (schema.provider === undefined || procedure === undefined || place.path[2] === 'realms') return [];
    return [{ procedure, realm: realmBeside(mark)?.text(), role: holder.get(schema.provider).text() }];
  });
}

function nameOf(place: Cursor): string {
  return place.get('name').text() ?? '';
}

/**
 * Who may register the procedures that decide about others: authenticators and authorizers. Whoever does sees tickets, and
 * says who comes in. So there is a word of warning where that may be a stranger, or somebody of another role.
 */
import type { Cursor } from './cursor.js';
import { quote } from './schema-words.js';
import { isAllowed, rulesOf, strangerRolesOf } from './exposure-rules.js';
import type { RuleContext } from './rules.js';
import { wampPlacesOf, workersOf } from './places.js';

/** A procedure that decides, as the config names it. */
interface WrittenDecider {
  readonly place: Cursor;
  readonly procedure: string;
  /** Where it says who may provide it. */
  readonly provider: Cursor;
}

/** Warns of procedures that decide, where they may not be provided by who is meant. */
export function checkDeciders(node: Cursor, context: RuleContext): void {
  for (const worker of workersOf(node)) {
    for (const realm of worker.get('realms').items()) {
      const strangers = strangerRolesOf(worker, realm).map(nameOf);
      for (const decider of decidersOf(worker, realm)) checkDecider(decider, realm, strangers, context);
    }
  }
}

function checkDecider(
  { place, procedure, provider }: WrittenDecider,
  realm: Cursor,
  strangers: readonly string[],
  { warn }: RuleContext,
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

function decidersOf(worker: Cursor, realm: Cursor): WrittenDecider[] {
  const authorizers = realm
    .get('roles')
    .items()
    .flatMap((role) => written(role.get('authorizer'), role.get('authorizer-callee-role')));
  const sections = worker
    .get('transports')
    .items()
    .flatMap((transport) => wampPlacesOf(transport))
    .flatMap(({ place }) => place.get('auth').entries())
    .filter((section) => section.get('type').value === 'dynamic')
    .filter((section) => [undefined, nameOf(realm)].includes(section.get('authenticator-realm').text()));
  return [
    ...authorizers,
    ...sections.flatMap((section) => written(section.get('authenticator'), section.get('authenticator-callee-role'))),
  ];
}

function written(place: Cursor, provider: Cursor): WrittenDecider[] {
  const procedure = place.text();
  return procedure === undefined ? [] : [{ place, procedure, provider }];
}

function nameOf(place: Cursor): string {
  return place.get('name').text() ?? '';
}

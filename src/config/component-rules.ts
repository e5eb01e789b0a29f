/** The rules of a component: it must be able to join its realm, or the node could not start. */
import type { Cursor } from './cursor.js';
import { quote } from './describe.js';
import type { RuleContext } from './rules.js';

/** @param realms those of the worker. */
export function checkComponent(component: Cursor, realms: readonly Cursor[], { report }: RuleContext): void {
  const [realmName, roleName] = [component.get('realm').text(), component.get('role').text()];
  // Of another type, which is refused, nobody knows what it means.
  if (component.get('type').value !== 'module' || realmName === undefined || roleName === undefined) return;
  const realm = realms.find((candidate) => candidate.get('name').value === realmName);
  if (realm === undefined) {
    const text = `the worker has no realm ${quote(realmName)} (allowed: ${names(realms)})`;
    return report(component.get('realm').path, text);
  }
  const roles = realm.get('roles').items();
  if (roles.some((role) => role.get('name').value === roleName)) return;
  const text = `the realm ${quote(realmName)} does not have a role ${quote(roleName)} (allowed: ${names(roles)})`;
  report(component.get('role').path, text);
}

function names(places: readonly Cursor[]): string {
  if (places.length === 0) return 'none, there are none yet';
  return places.map((place) => quote(place.get('name').text() ?? '')).join(', ');
}

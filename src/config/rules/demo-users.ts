/**
 * The users of the demo. Their passwords stand in its page and in this package, so everybody knows them: that is for trying it out on one
 * machine.
 */
import type { Cursor } from '../cursor.js';
import type { NodePlaces } from '../places.js';
import type { Path } from '../source/source.js';
import type { MarkedPlace } from '../walk.js';
import type { CheckRulesContext } from './context.js';

/** The keys in its config, and the passwords that they are derived from. */
export const DEMO_SECRETS: ReadonlySet<string> = new Set([
  ...['wuo4v5HuoLmUpwyavP0PgWdLkUhjOtzAPprfm47B+Ik=', 'wonderland'],
  ...['NoulnaLtb+4HnQdcKJe0/yLHka1T4zYb1YWc3B6Kx9c=', 'yes-we-can'],
]);

/** Warns where they can log in from other machines. */
export function checkDemoUsers({ workers }: NodePlaces, { warn }: CheckRulesContext): void {
  for (const { transports, marked } of workers) {
    for (const transport of transports.filter((each) => isBeyondLoopback(each.get('endpoint')))) {
      for (const { path, names } of demoUsersOf(transport, marked)) {
        const who = names.length === 1 ? `${names.join()} has a password` : `${names.join(' and ')} have passwords`;
        warn(
          path,
          `${who} of the demo, which everybody knows, and other machines can connect here (change the secrets, or take the users out)`,
        );
      }
    }
  }
}

interface DemoUsers {
  /** The place of the object or list of users. */
  readonly path: Path;
  readonly names: string[];
}

function demoUsersOf(transport: Cursor, marked: readonly MarkedPlace[]): DemoUsers[] {
  const found = new Map<string, DemoUsers>();
  for (const { place } of marked.filter((mark) => isDemoSecret(mark, transport))) {
    const [path, name = ''] = [place.path.slice(0, -2), place.path.at(-2)];
    const section = found.get(path.join('\n')) ?? { path, names: [] };
    found.set(path.join('\n'), section);
    section.names.push(name);
  }
  return [...found.values()];
}

function isDemoSecret({ place, schema }: MarkedPlace, transport: Cursor): boolean {
  const isBelow = transport.path.every((key, index) => place.path[index] === key);
  return isBelow && schema.is === 'secret' && DEMO_SECRETS.has(place.text() ?? '');
}

function isBeyondLoopback(endpoint: Cursor): boolean {
  const address = endpoint.get('interface').text() ?? '';
  return endpoint.get('type').value === 'tcp' && !/^127\.|^::1$|^localhost$/.test(address);
}

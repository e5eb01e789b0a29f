/** What is checked of an endpoint that no keyword of the schema can say. */
import type { Place, Rules } from '../../schema/rules.js';

/** Rule of a TCP endpoint: it has a port, or a range to choose from. */
export const checkPortKeys: Rules = (endpoint, { report }) => {
  const [port, range] = [endpoint.get('port'), endpoint.get('portrange')];
  if (range.missing) {
    if (!port.missing || isMisspelt(endpoint)) return;
    return report(endpoint.path, 'missing key "port" (allowed: a port from 0 to 65535, or "portrange")');
  }
  if (!port.missing) return report(range.path, 'found beside "port" (allowed: only one of the two)');
  if (!isRange(range)) report(range.path, 'found no range (allowed: two ports, the lower one first)');
};

const OTHER_KEYS: ReadonlySet<string> = new Set([
  'type',
  'interface',
  'version',
  'backlog',
  'proxy_protocol',
  'tls',
  'shared',
]);

/** A key that nobody knows has a message of its own, which may well be about the port. */
function isMisspelt(endpoint: Place): boolean {
  return endpoint.entries().some(({ path }) => !OTHER_KEYS.has(path.at(-1) ?? ''));
}

function isRange(range: Place): boolean {
  const [from, to, ...more] = range.items().map((item) => item.number());
  // Items that are no ports have a message of their own.
  return more.length === 0 && range.items().length === 2 && (from === undefined || to === undefined || from <= to);
}

/** What is checked of the transport `universal`. */
import type { Rules } from '../schema/rules.js';

/** Rule of the transport: something has to be there, and no path twice. */
export const checkUniversal: Rules = (transport, { report }) => {
  const webSockets = transport.get('websocket').entries();
  const paths = [...webSockets, ...transport.at('web', 'paths').entries()];
  if (transport.get('rawsocket').missing && paths.length === 0) {
    report(
      transport.path,
      'nobody could connect (allowed: "rawsocket", "websocket" or "web" with paths, or several of them)',
    );
  }
  for (const { path } of webSockets) {
    const taken = transport.at('web', 'paths', path.at(-1) ?? '');
    if (!taken.missing) report(path, `/${taken.path.join('/')} has this path already (allowed: another path)`);
  }
};

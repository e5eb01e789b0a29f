/** What is checked of the transport `universal`. */
import { checkMonitors } from '../monitor/rules.js';
import type { Rules } from '../../schema/rules.js';

/** Rule of the transport: something should be there, and of a path that is there twice that of `websocket` counts. */
export const checkUniversal: Rules = (transport, context) => {
  checkMonitors(transport, context);
  const { note } = context;
  const webSockets = transport.get('websocket').entries();
  const paths = [...webSockets, ...transport.at('web', 'paths').entries()];
  const isHttpOnly = transport.get('rawsocket').missing && transport.get('mqtt').missing;
  if (isHttpOnly && paths.length === 0) {
    note(
      transport.path,
      'nobody can connect: there is no "rawsocket", no "mqtt", and no "websocket" or "web" with paths',
    );
  }
  for (const { path } of webSockets) {
    const taken = transport.at('web', 'paths', path.at(-1) ?? '');
    if (!taken.missing) note(taken.path, `has no effect: /${path.join('/')} has this path, too, and counts`);
  }
};

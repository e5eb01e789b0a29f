/** The transports we ship: config word -> transport. A new one is a file of its own and a line here. */
import { rawSocketTransportType } from '../transport/rawsocket/transport-type.js';
import { universalTransportType, webSocketTransportType, webTransportType } from '../webservice/transport-types.js';
import type { TransportType } from '../transport/transport-type.js';
import type { WebTransportDeps } from '../webservice/transport-types.js';
import type { TransportTypes, WorkerFamilies } from './families.js';
import type { TransportConfig } from './schema.js';

/** The transports that we ship. */
export const TRANSPORTS: TransportTypes = {
  rawsocket: rawSocketTransportType,
  universal: universalTransportType,
  web: webTransportType,
  websocket: webSocketTransportType,
};

/** @returns the kind of a transport. */
export function transportTypeOf(
  { type }: TransportConfig,
  { transports }: WorkerFamilies,
): TransportType<TransportConfig, WebTransportDeps> {
  return transports[type];
}

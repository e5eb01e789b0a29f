/** The transports we ship: config word -> transport. A new one is a file of its own and a line here. */
import { rawSocketTransportType } from '../transport/rawsocket/transport-type.js';
import { universalTransportType, webSocketTransportType, webTransportType } from '../webservice/transport-types.js';
import type { TransportConfig } from './schema.js';
import type { TransportType } from '../transport/transport-type.js';

const TRANSPORTS: {
  readonly [T in TransportConfig['type']]: TransportType<Extract<TransportConfig, { readonly type: T }>>;
} = {
  rawsocket: rawSocketTransportType,
  universal: universalTransportType,
  web: webTransportType,
  websocket: webSocketTransportType,
};

/** @returns the kind of a transport. */
export function transportTypeOf(config: TransportConfig): TransportType<TransportConfig> {
  return TRANSPORTS[config.type];
}

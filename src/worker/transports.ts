/** The transports we ship: config word -> transport. A new one is a file of its own and a line here. */
import { mqttTransportType } from '../mqtt/transport/transport-type.js';
import { flashPolicyTransportType } from '../transport/flashpolicy/transport-type.js';
import { rawSocketTransportType } from '../transport/rawsocket/transport-type.js';
import { streamTesteeTransportType } from '../transport/testee/stream-echo.js';
import {
  universalTransportType,
  webSocketTesteeTransportType,
  webSocketTransportType,
  webTransportType,
} from '../webservice/transport-types.js';
import type { CertificateFile } from '../monitor/source.js';
import type { TransportType } from '../transport/transport-type.js';
import type { WebTransportDeps } from '../webservice/transport-types.js';
import type { TransportTypes, WorkerFamilies } from './families.js';
import type { TransportConfig } from './schema.js';

/** The transports that we ship. */
export const TRANSPORTS: TransportTypes = {
  flashpolicy: flashPolicyTransportType,
  mqtt: mqttTransportType,
  rawsocket: rawSocketTransportType,
  universal: universalTransportType,
  web: webTransportType,
  websocket: webSocketTransportType,
  'websocket.testee': webSocketTesteeTransportType,
  'stream.testee': streamTesteeTransportType,
};

/** @returns the kind of a transport. */
export function transportTypeOf(
  { type }: TransportConfig,
  { transports }: WorkerFamilies,
): TransportType<TransportConfig, WebTransportDeps> {
  return transports[type];
}

/** @returns the certificates that transports show to their clients. */
export function certificatesOf(transports: readonly TransportConfig[]): CertificateFile[] {
  return transports.flatMap(({ id, endpoint }) =>
    endpoint !== undefined && 'tls' in endpoint ? [{ transport: id, file: endpoint.tls.certificate }] : [],
  );
}

/** @returns the files of private keys that transports name. */
export function keyFilesOf(transports: readonly TransportConfig[]): string[] {
  return transports.flatMap(({ endpoint }) => (endpoint !== undefined && 'tls' in endpoint ? [endpoint.tls.key] : []));
}

/**
 * What the words of a config stand for, as far as a worker goes. Every room adds its own families to those of the rooms that it
 * uses, so each part of a node is given the whole and sees its part of it.
 */
import type { ComponentTypes } from '../component/component-type.js';
import type { TransportType } from '../transport/transport-type.js';
import type { WebFamilies } from '../webservice/service.js';
import type { WebTransportDeps } from '../webservice/transport-types.js';
import type { TransportConfig } from './schema.js';

/** A transport for every word of the config. */
export type TransportTypes = {
  readonly [T in TransportConfig['type']]: TransportType<
    Extract<TransportConfig, { readonly type: T }>,
    WebTransportDeps
  >;
};

/** The families of a worker. */
export interface WorkerFamilies extends WebFamilies {
  readonly transports: TransportTypes;
  readonly components: ComponentTypes;
}

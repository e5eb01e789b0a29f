/** The packages of NATS, which only nodes of a cluster need. They are loaded when such a node starts. */
import { optionalPackage } from '../../system/optional-package.js';
import type * as transportPackage from '@nats-io/transport-node';
import type * as jetstreamPackage from '@nats-io/jetstream';
import type * as kvPackage from '@nats-io/kv';

export interface NatsPackages {
  readonly transport: typeof transportPackage;
  readonly jetstream: typeof jetstreamPackage;
  readonly kv: typeof kvPackage;
}

/** @param neededBy for people: what needs them. Rejects with OptionalPackageError. */
export async function natsPackages(neededBy: string): Promise<NatsPackages> {
  return {
    transport: await optionalPackage('@nats-io/transport-node', neededBy, () => import('@nats-io/transport-node')),
    jetstream: await optionalPackage('@nats-io/jetstream', neededBy, () => import('@nats-io/jetstream')),
    kv: await optionalPackage('@nats-io/kv', neededBy, () => import('@nats-io/kv')),
  };
}

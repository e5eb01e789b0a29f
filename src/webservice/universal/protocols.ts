/** The protocols without HTTP that a `universal` transport may have: one more is a line here, and a section of the schema. */
import { mqttProtocol } from '../../mqtt/transport/transport-type.js';
import { rawSocketProtocol } from '../../transport/rawsocket/transport-type.js';
import type { RawProtocol } from '../../transport/universal/protocol.js';
import type { RawSections, UniversalTransportConfig } from './schema.js';

/** With one for every section of the config; in the order in which they are told of. */
const RAW_PROTOCOLS: { readonly [K in keyof RawSections]: RawProtocol<RawSections[K]> } = {
  rawsocket: rawSocketProtocol,
  mqtt: mqttProtocol,
};

/** A protocol that a transport has. */
export interface ConfiguredProtocol {
  readonly protocol: RawProtocol;
  /** Its section. */
  readonly section: object;
}

/** @returns the protocols for which a transport has a section. */
export function protocolsOf(config: Partial<RawSections>): ConfiguredProtocol[] {
  const all: readonly RawProtocol[] = Object.values(RAW_PROTOCOLS);
  const sections = new Map<string, object | undefined>(Object.entries(config));
  return all.flatMap((protocol) => {
    const section = sections.get(protocol.type);
    return section === undefined ? [] : [{ protocol, section }];
  });
}

/** @returns how long a client may take for its first octet, in milliseconds: as long as the most patient protocol waits; 0 means for ever. */
export function firstOctetMs(config: UniversalTransportConfig): number {
  const times = protocolsOf(config).map(({ protocol, section }) => protocol.helloTimeoutMs(section));
  return times.includes(0) ? 0 : Math.max(0, ...times);
}

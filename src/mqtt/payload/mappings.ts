/** Which mapping a payload has: that of the longest prefix of its URI. */
import { dynamicMapping } from './dynamic.js';
import { nativeMapping } from './native.js';
import { passthroughMapping } from './passthrough.js';
import type { CallProcedure } from './dynamic.js';
import type { PayloadMapping } from './mapping.js';
import type { PayloadMappingConfig } from './schema.js';

export interface MappingDeps {
  /** @returns what calls in a realm, by default in that of the clients. */
  readonly callIn: (realm: string | undefined) => CallProcedure;
  readonly uriOf: (topic: string) => string;
}

/** @returns the mapping of a URI, undefined when no entry fits: then it is dropped, in all directions. */
export type MappingOf = (uri: string) => PayloadMapping | undefined;

/** @param config prefix of a URI -> what is done with its payloads */
export function payloadMappings(config: PayloadMappingConfig, deps: MappingDeps): MappingOf {
  const entries = Object.entries(config)
    .map(([prefix, entry]) => ({ prefix, mapping: mappingOf(entry, deps) }))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  return (uri) => entries.find(({ prefix }) => uri.startsWith(prefix))?.mapping;
}

function mappingOf(entry: PayloadMappingConfig[string], { callIn, uriOf }: MappingDeps): PayloadMapping {
  switch (entry.type) {
    case 'passthrough':
      return passthroughMapping;
    case 'native':
      return nativeMapping(entry.serializer);
    case 'dynamic':
      return dynamicMapping({ ...entry, call: callIn(entry.realm), uriOf });
  }
}

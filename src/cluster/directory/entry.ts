/** What all nodes know of one callee of one registration, and how it stands in the bucket. */
import { CALLEE_FEATURES } from '../../wamp/features.js';
import { isDict } from '../../wamp/payload.js';
import { decodeJson, encodeJson } from '../json.js';
import { keyOf, nodeOf } from '../node-ref.js';
import { tokenOf } from '../subjects.js';
import type { RegistrationClaim } from '../../router/uplink.js';
import type { Dict } from '../../wamp/payload.js';
import type { Change } from '../../engine/engine.js';
import type { NodeRef } from '../node-ref.js';

/** How a registration began. All its callees have the same one: whoever joins them takes it over. */
export interface Birth {
  /** The WAMP id of the registration: the same on all nodes, and another one each time it begins. */
  readonly id: number;
  /** The place of its first callee. Of two births in a group the larger one came later. */
  readonly place: number;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
}

/** A callee that asks to be one, or is one. Only its own node writes its key. */
export interface CalleeEntry {
  /** Its key: `<realm>.<id of the pattern>.<node>.<epoch>.<number>`; no two are alike, ever. */
  readonly key: string;
  /** The first two tokens of the key: all that register the same are in one group. Two patterns may by chance have the same id. */
  readonly group: string;
  readonly realm: string;
  readonly node: NodeRef;
  readonly claim: RegistrationClaim;
  /** The revision of the change by which it asked: of two in a group the smaller one came first. */
  readonly place: number;
  /** That of its registration: it is a callee, and calls may go to it. Undefined: it only asks. */
  readonly birth: Birth | undefined;
}

/** An entry that is a callee. */
export type HeldEntry = CalleeEntry & { readonly birth: Birth };

/** @returns whether an entry is a callee, and does not only ask. */
export function isHeld(entry: CalleeEntry): entry is HeldEntry {
  return entry.birth !== undefined;
}

/** @returns the first two tokens of the keys of all that register something. @param id of its pattern */
export function groupOf(realm: string, id: number): string {
  return `${tokenOf(realm)}.${id}`;
}

/** @returns the key of one of this node's. @param number counts them in this life of the node */
export function entryKey(realm: string, id: number, node: NodeRef, number: number): string {
  return `${groupOf(realm, id)}.${keyOf(node)}.${number}`;
}

/** @returns the node of an entry. */
export function nodeOfEntry(key: string): NodeRef | undefined {
  return nodeOf(key.split('.').slice(2, 4).join('.'));
}

/** @returns the value of an entry. @param held undefined for one that asks: it has no place yet. */
export function encodeEntry(
  realm: string,
  claim: RegistrationClaim,
  held?: { readonly place: number; readonly birth: Birth },
): Uint8Array {
  const { uri, match, invoke, force, options, callee } = claim;
  const { id, authid, authrole } = callee;
  const features = CALLEE_FEATURES.filter((feature) => callee.announced('callee', feature));
  const who = { id, authid, authrole, features };
  return encodeJson({ realm, uri, match, invoke, force, options, callee: who, ...held });
}

function calleeOf({ id, authid, authrole, features }: Dict): Dict {
  const announced = Array.isArray(features) ? (features as readonly unknown[]) : [];
  return {
    ...{ id, authid, authrole },
    announced: (role: string, feature: string) => role === 'callee' && announced.includes(feature),
  };
}

/** @returns what a change says; undefined for what no node has written. */
export function entryOf({ key, value, revision }: Change): CalleeEntry | undefined {
  const node = nodeOfEntry(key);
  if (value === undefined || node === undefined) return undefined;
  const { realm, uri, match, invoke, force, options, callee, place, birth } = decodeJson(value);
  if (typeof realm !== 'string' || typeof uri !== 'string') return undefined;
  if (!isDict(options) || !isDict(callee) || typeof callee['id'] !== 'number') return undefined;
  return {
    key,
    group: key.split('.').slice(0, 2).join('.'),
    realm,
    node,
    // What another node of this cluster wrote is what `encodeEntry` makes.
    claim: { uri, match, invoke, force, options, callee: calleeOf(callee) } as unknown as RegistrationClaim,
    place: typeof place === 'number' ? place : revision,
    birth: birthIn(birth),
  };
}

function birthIn(value: unknown): Birth | undefined {
  if (!isDict(value)) return undefined;
  const { id, place, createdMs } = value;
  if (typeof id !== 'number' || typeof place !== 'number' || typeof createdMs !== 'number') return undefined;
  return { id, place, createdMs };
}

/**
 * Channel binding: a signature that is valid for one TLS connection only, so that a man in the middle cannot use it. Client and
 * router mix data into it that only the two ends of the connection know.
 */
import { createHash } from 'node:crypto';
import type { ClientInfo } from './method.js';

/** The type that a client asks for, and the data of its connection; `none` when the client asks for none. */
export type ChannelBinding = { readonly type: string; readonly data: Uint8Array } | 'none';

/**
 * @param asked `channel_binding` in HELLO.Details.authextra.
 * @returns undefined when this connection does not have the type that the client asks for. The client relies on it, so it
 *   must be refused.
 */
export function channelBinding(asked: unknown, { tls }: ClientInfo): ChannelBinding | undefined {
  if (asked === undefined || asked === null || asked === '') return 'none';
  if (typeof asked !== 'string') return undefined;
  const data = tls?.channelBinding(asked);
  return data === undefined ? undefined : { type: asked, data };
}

/** @returns the 32 octets that cryptosign mixes in. Data of another length is hashed, as autobahn-python does. */
export function channelId(data: Uint8Array): Uint8Array {
  return data.length === 32 ? data : createHash('sha256').update(data).digest();
}

/**
 * Channel binding: a signature that holds for one TLS connection only, so that nobody in between can use it. Client and
 * router mix something into it that only the two ends of the connection know.
 */
import { createHash } from 'node:crypto';
import type { ClientInfo } from './method.js';

/** The type that a client asks for, and the data of its connection; `none` when it asks for nothing. */
export type ChannelBinding = { readonly type: string; readonly data: Uint8Array } | 'none';

/**
 * @param asked `channel_binding` in HELLO.Details.authextra.
 * @returns undefined when this connection does not have what the client asks for: it must be refused then, because it
 *   relies on it.
 */
export function channelBinding(asked: unknown, { tls }: ClientInfo): ChannelBinding | undefined {
  if (asked === undefined || asked === null || asked === '') return 'none';
  if (typeof asked !== 'string') return undefined;
  const data = tls?.channelBinding(asked);
  return data === undefined ? undefined : { type: asked, data };
}

/** @returns the 32 octets by which cryptosign knows a connection. What is not as long is hashed, as autobahn-python does. */
export function channelId(data: Uint8Array): Uint8Array {
  return data.length === 32 ? data : createHash('sha256').update(data).digest();
}

/** The mark that a deletion leaves in a bucket. */
import type { MsgHdrs } from '@nats-io/transport-node';

/** The header of a mark, as the key-value buckets of NATS have it. */
export const OPERATION = 'KV-Operation';

/** @returns whether a message of a bucket stands for a deletion. */
export function isMark(headers: MsgHdrs | undefined): boolean {
  const operation = headers?.get(OPERATION);
  return operation === 'DEL' || operation === 'PURGE';
}

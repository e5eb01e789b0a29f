/** The key of the session ids of a cluster: made by its first node, and the same from then on. */
import { EngineError, isConflict } from '../../engine/engine.js';
import { decodeJson, encodeJson } from '../json.js';
import type { Bucket } from '../../engine/engine.js';

/** Where it stands in the bucket of the nodes. */
const PLACE = 'ids';

const KEY_BYTES = 32;

/**
 * @param fresh a key, in case there is none yet.
 * @returns the key of the cluster. Rejects with EngineError.
 */
export async function clusterKey(bucket: Pick<Bucket, 'create' | 'get'>, fresh: Uint8Array): Promise<Uint8Array> {
  const there = await keyIn(bucket);
  if (there !== undefined) return there;
  try {
    await bucket.create(PLACE, encodeJson({ key: Buffer.from(fresh).toString('base64') }));
    return fresh;
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
  // Another node was first.
  const key = await keyIn(bucket);
  if (key === undefined) throw new EngineError('refused', 'the key of the session ids was deleted in the cluster');
  return key;
}

async function keyIn(bucket: Pick<Bucket, 'get'>): Promise<Uint8Array | undefined> {
  const value = await bucket.get(PLACE);
  if (value === undefined) return undefined;
  const { key } = decodeJson(value);
  const bytes = Buffer.from(typeof key === 'string' ? key : '', 'base64');
  if (bytes.length !== KEY_BYTES) throw new EngineError('refused', 'the key of the session ids in the cluster is none');
  return bytes;
}

/** Where the config says that clients may send more than goes from one node to another in one message. */
import { Cursor } from '../../config/cursor.js';
import { freeSchema, variantOf } from '../../config/walk.js';
import type { NodeConfig } from '../../config/schema.js';
import type { SchemaTree } from '../../config/walk.js';
import type { ConfigSchema } from '../../schema/dialect.js';

/** The key of all transports. */
const KEY = 'max_message_size';

/** A limit that is too high. */
export interface TooLarge {
  /** JSON Pointer into the config. */
  readonly pointer: string;
  readonly bytes: number;
}

/**
 * @returns the limits above `maxBytes` of workers with realms in the cluster. What a key has by default is none of them: whoever says
 *   nothing of sizes hears of it when a message is too large.
 */
export function tooLargeFor(config: NodeConfig, { root, definitions }: SchemaTree, maxBytes: number): TooLarge[] {
  const found: TooLarge[] = [];
  const visit = (place: Cursor, schema: ConfigSchema): void => {
    if (place.missing) return;
    const bytes = place.number();
    if (place.path.at(-1) === KEY && bytes !== undefined && bytes > maxBytes && bytes !== schema.default) {
      found.push({ pointer: `/${place.path.join('/')}`, bytes });
    }
    const variant = variantOf(schema, place);
    if (variant !== undefined) visit(place, variant);
    const { properties = {}, items } = schema;
    const free = freeSchema(schema, definitions);
    for (const child of place.entries()) {
      const key = child.path.at(-1) ?? '';
      const inner = Object.hasOwn(properties, key) ? properties[key] : free;
      if (inner !== undefined) visit(child, inner);
    }
    if (items !== undefined) for (const child of place.items()) visit(child, items);
  };
  const workers = new Cursor(config).get('workers').items();
  const inCluster = workers.filter((worker) => isInCluster(worker) || workers.some((other) => leadsTo(worker, other)));
  const workerSchema = root.properties?.['workers']?.items;
  if (workerSchema !== undefined) for (const worker of inCluster) visit(worker, workerSchema);
  return found;
}

function isInCluster(worker: Cursor): boolean {
  return worker
    .get('realms')
    .items()
    .some((realm) => realm.get('cluster').value === true);
}

/** A worker in front of another one: its clients join the realms of that one. */
function leadsTo(worker: Cursor, other: Cursor): boolean {
  return worker.at('front', 'worker').text() === (other.get('id').text() ?? '') && isInCluster(other);
}

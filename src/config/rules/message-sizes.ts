/** Where the config says that clients may send more than goes from one node to another in one message. */
import { DEFAULT_SIZES } from '../../cluster/schema.js';
import type { Cursor } from '../cursor.js';
import { freeSchema, variantOf } from '../walk.js';
import type { SchemaTree } from '../walk.js';
import type { ConfigSchema } from '../../schema/dialect.js';
import type { CheckRulesContext } from './context.js';

/** The key of all transports. */
const KEY = 'max_message_size';

/** A limit that is too high. */
export interface TooLarge {
  readonly path: readonly string[];
  readonly bytes: number;
}

/**
 * Warns of limits above what NATS takes unless it is told to take more. Nobody asks it during a check: what it does take is known when the
 * node starts, which refuses then.
 */
export function checkMessageSizes(node: Cursor, tree: SchemaTree, { warn }: CheckRulesContext): void {
  const sizes = DEFAULT_SIZES[node.at('cluster', 'type').text() ?? ''];
  if (sizes === undefined) return;
  const most = sizes.payload - sizes.headers;
  for (const { path, bytes } of tooLargeFor(node, tree, most)) {
    warn(
      path,
      `${bytes} bytes are more than ${most}, which NATS carries from node to node by default: without a "max_payload" of ${bytes + sizes.headers} or more in its configuration the node does not start`,
    );
  }
}

/**
 * @param node the whole config.
 * @returns the limits above `maxBytes` of workers with realms in the cluster. What a key has by default is none of them: whoever says
 *   nothing of sizes hears of it when a message is too large.
 */
export function tooLargeFor(node: Cursor, { root, definitions }: SchemaTree, maxBytes: number): TooLarge[] {
  const found: TooLarge[] = [];
  const visit = (place: Cursor, schema: ConfigSchema): void => {
    if (place.missing) return;
    const bytes = place.number();
    if (place.path.at(-1) === KEY && bytes !== undefined && bytes > maxBytes && bytes !== schema.default) {
      found.push({ path: place.path, bytes });
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
  const workers = node.get('workers').items();
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

/**
 * What a node writes while it runs, put below its state directory where it has one: then the node directory need not be writable.
 * It runs before the rules, which so see the paths as the node will use them.
 */
import { resolve } from 'node:path';

import { marksOf } from '../places.js';
import type { NodePlaces } from '../places.js';

/** Makes the paths that the schema marks as `state` absolute. @param statedir absolute. */
export function resolveState(places: NodePlaces, statedir: string): void {
  for (const { place, schema, holder } of [...marksOf(places), ...places.marked]) {
    const file = place.text();
    if (schema.state === true && file !== undefined && file !== '') {
      holder.set(place.path.at(-1) ?? '', resolve(statedir, file));
    }
  }
}

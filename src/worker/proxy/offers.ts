/** Where clients of fronts come in: the places of a transport, by the names that fronts have for them. */
import { sectionNames } from '../../transport/apart/halves.js';
import type { BehindFronts, Place } from '../../transport/apart/apart.js';
import type { TransportConfig } from '../schema.js';

/**
 * @param half of the router.
 * @param index of the transport among those of the fronts.
 * @param elsewhere see {@link Place}.
 */
export function offersOf(
  half: TransportConfig,
  index: number,
  places: Map<string, Place>,
  elsewhere?: Place['elsewhere'],
): BehindFronts {
  const names = sectionNames(half);
  return {
    offer: (section, place) => places.set(`${index}${names.get(section) ?? ''}`, { ...place, elsewhere }),
  };
}

/** What a worker tells of a transport that listens. */
import type { BoundAddress } from '../transport/listen/listen.js';
import type { TransportOffer } from '../transport/offer.js';
import type { ListeningSummary } from './summary.js';

/** @param offer what clients find where it is `bound`. */
export function listeningSummary(
  names: Pick<ListeningSummary, 'transport' | 'worker' | 'type'>,
  bound: BoundAddress,
  { url, beside, wamp, paths }: TransportOffer,
): ListeningSummary {
  return {
    ...names,
    ...('path' in bound ? { address: bound.path } : bound),
    ...{ url, ...(beside !== undefined && { beside }), paths },
    ...(wamp !== undefined && { wamp }),
  };
}

/**
 * `wamp.subscription.get_events` (section "Event History"): offered by realms with a `store`.
 *
 * The specification has all but the subscription in keywords, and each event as an argument of the result. Who gives a
 * limit by position calls it as at Crossbar.io, and gets what its clients expect: the newest event first, and one argument,
 * the list.
 *
 * An answer has room for some 128 KiB of events, and 20,000 values. Where there are more, it says `more: true` in a keyword; who wants them asks
 * again, with `after_publication` (or with `reverse`, `before_publication`) and the last publication of the answer.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { payloadOf } from '../../wamp/payload.js';
import { historicEventValue } from '../broker/history.js';
import { historyQuery } from '../broker/history-query.js';
import { CallArguments, ID } from './procedure.js';
import type { EventHistory } from '../broker/history.js';
import type { SubscriptionDirectory } from '../observer.js';
import type { ProcedureTable } from './procedure.js';

/** There are more events than one answer has room for. */
const MORE = { more: true };

/** @param directory asked anew for every call. */
export function historyProcedures(directory: () => SubscriptionDirectory, history: EventHistory): ProcedureTable {
  return {
    'wamp.subscription.get_events': (caller, call) => {
      const given = new CallArguments(call, ['subscription', 'limit']);
      const { args, kwargs } = given;
      const id = given.required('subscription', ID);
      const subscription = directory().get(id);
      if (subscription === undefined) {
        throw new WampError(ErrorUri.NO_SUCH_SUBSCRIPTION, `no subscription with id ${id} is in this realm`);
      }
      const byPosition = args.length > 1;
      const query = historyQuery(byPosition ? { reverse: true, ...kwargs, limit: args[1] } : kwargs);
      const { events, more } = history.events(caller, subscription, query);
      const values = events.map((event) => historicEventValue(event, subscription));
      return payloadOf(byPosition ? [values] : values, more ? MORE : undefined);
    },
  };
}

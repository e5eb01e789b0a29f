/**
 * `wamp.subscription.get_events` (section "Event History"): offered by realms with a `store`.
 *
 * The specification has all but the subscription in keywords, and each event as an argument of the result. Who gives a
 * limit by position calls it as at Crossbar.io, and gets what its clients expect: the newest event first, and one argument,
 * the list.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { payloadOf } from '../../wamp/payload.js';
import { historicEventValue } from '../history.js';
import { historyQuery } from '../history-query.js';
import { CallArguments, ID } from './procedure.js';
import type { EventHistory } from '../history.js';
import type { SubscriptionDirectory } from '../observer.js';
import type { ProcedureTable } from './procedure.js';

/** @param directory asked anew for every call. */
export function historyProcedures(directory: () => SubscriptionDirectory, history: EventHistory): ProcedureTable {
  return {
    'wamp.subscription.get_events': (caller, call) => {
      const { args, kwargs } = call.payload;
      const given = new CallArguments(call, ['subscription', 'limit']);
      const id = given.required('subscription', ID);
      const subscription = directory().get(id);
      if (subscription === undefined) {
        throw new WampError(ErrorUri.NO_SUCH_SUBSCRIPTION, `no subscription with id ${id} is in this realm`);
      }
      const byPosition = args.length > 1;
      const query = historyQuery(byPosition ? { reverse: true, ...kwargs, limit: args[1] } : kwargs);
      const events = history
        .events(caller, subscription, query)
        .map((event) => historicEventValue(event, subscription));
      return payloadOf(byPosition ? [events] : events);
    },
  };
}

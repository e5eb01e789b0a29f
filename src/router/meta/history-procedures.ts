/**
 * `wamp.subscription.get_events` (section "Event History"): offered by realms with a `store`.
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
      const id = new CallArguments(call, ['subscription']).required('subscription', ID);
      const subscription = directory().get(id);
      if (subscription === undefined) {
        throw new WampError(ErrorUri.NO_SUCH_SUBSCRIPTION, `no subscription with id ${id} is in this realm`);
      }
      const events = history.events(caller, subscription, historyQuery(call.payload.kwargs));
      return payloadOf(events.map((event) => historicEventValue(event, subscription)));
    },
  };
}

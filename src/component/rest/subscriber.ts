/**
 * The component `subscriber`: each event becomes an HTTP request with `{"args": [...], "kwargs": {...}}` in JSON, as with
 * `MessageForwarder` of Crossbar.io. Beyond it two headers say which topic and which publication it was, and the events of an address
 * arrive in order (`forwarder.ts`).
 */
import type { ComponentFunction, ComponentHooks, EventHandler } from '../../client/api.js';
import { jsonText } from '../../serializer/json-values.js';
import { FORWARDER_LIMITS, Forwarder } from './forwarder.js';
import type { ForwarderLimits } from './forwarder.js';
import type { SubscriberExtra } from './schema.js';

/** @returns the component with these limits. */
export function subscriberWith(limits: ForwarderLimits): ComponentFunction {
  return async (session, { extra, log }): Promise<ComponentHooks> => {
    // The check of the config has shown it.
    const { subscriptions, method, expectedcode } = extra as SubscriberExtra;
    const forwarders = new Map<string, Forwarder>();
    const forwarderTo = (url: URL): Forwarder => {
      const known = forwarders.get(url.href);
      if (known !== undefined) return known;
      const forwarder = new Forwarder({ url, method, expectedcode }, log, limits);
      forwarders.set(url.href, forwarder);
      return forwarder;
    };
    const stop = (): void => {
      for (const forwarder of forwarders.values()) forwarder.stop();
    };
    for (const { topic, url, match } of subscriptions) {
      await session.subscribe(topic, forwarding(forwarderTo(new URL(url))), { match });
    }
    return { stop };
  };
}

/** @returns what hands an event on. */
function forwarding(forwarder: Forwarder): EventHandler {
  return (args, kwargs, { topic, publication }) => {
    const body = new TextEncoder().encode(jsonText({ args, kwargs }));
    forwarder.add({ topic, publication, body });
  };
}

/** The component. */
export const subscriber = subscriberWith(FORWARDER_LIMITS);

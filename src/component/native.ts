/**
 * Components that the node brings itself: functions of ours, as a module of the operator has them. They run in a router worker and,
 * as modules do, in the process of a container. To add one: its function here, its kind in `registry.ts`, and its schema.
 */
import type { ComponentFunction } from '../client/api.js';
import type { InNodeComponentType } from './component-type.js';
import type { CalleeComponentConfig, SubscriberComponentConfig } from './schema.js';

/** Component word -> its function, which is loaded where it is used. */
const NATIVE = {
  callee: async (): Promise<ComponentFunction> => (await import('./rest/callee.js')).callee,
  subscriber: async (): Promise<ComponentFunction> => (await import('./rest/subscriber.js')).subscriber,
};

/** @param type of a component. @returns its function; undefined when it is none of ours. */
export function nativeFunction(type: string): Promise<ComponentFunction> | undefined {
  const functions: Readonly<Record<string, () => Promise<ComponentFunction>>> = NATIVE;
  return Object.hasOwn(functions, type) ? functions[type]?.() : undefined;
}

/** The config word `callee`. */
export const calleeComponentType: InNodeComponentType<CalleeComponentConfig> = {
  type: 'callee',
  facts: ({ extra: { procedure } }) => ({ procedure }),
  load: () => NATIVE.callee(),
};

/** The config word `subscriber`. */
export const subscriberComponentType: InNodeComponentType<SubscriberComponentConfig> = {
  type: 'subscriber',
  facts: ({ extra: { subscriptions } }) => ({ topics: subscriptions.map(({ topic }) => topic) }),
  load: () => NATIVE.subscriber(),
};

/**
 * What a kind of component is: a way from its config to a function, which gets a session. To add one: a file that exports a
 * {@link ComponentType}, a line in `registry.ts`, and its schema with a line in the `oneOf` of `schema.ts`.
 */
import type { ComponentFunction } from '../client/api.js';
import type { ComponentConfig } from './schema.js';

/** What all components have in their config. */
export interface AnyComponentConfig {
  readonly type: string;
  readonly id: string;
  /** The realm that it joins. */
  readonly realm: string;
  readonly role: string;
  /** Default: its id. */
  readonly authid?: string;
  /** Handed to the function as it is. */
  readonly extra?: unknown;
}

/** What a kind of component gets from the node. */
export interface ComponentTypeDeps {
  /** The node directory, absolute. */
  readonly cbdir: string;
}

/** One kind of component. */
export interface ComponentType<C extends AnyComponentConfig = AnyComponentConfig> {
  /** The word for it in `type`. */
  readonly type: C['type'];
  /** @returns what the log says of it beside its id. */
  facts(config: C): Readonly<Record<string, unknown>>;
  /** Finds the function that is called with the session. Rejects when it is not there; the message is for the operator. */
  load(config: C, deps: ComponentTypeDeps): Promise<ComponentFunction>;
}

/** A kind for every word of the config. */
export type ComponentTypes = {
  readonly [T in ComponentConfig['type']]: ComponentType<Extract<ComponentConfig, { readonly type: T }>>;
};

/**
 * What a kind of component is: a way from its config to a function, which gets a session in this process; or what a host is told,
 * which is a process that runs components in another language. To add one: a file that exports a {@link ComponentType}, a line in
 * `registry.ts`, and its schema with a line in the `oneOf` of `schema.ts`.
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

interface CommonComponentType<C extends AnyComponentConfig> {
  /** The word for it in `type`. */
  readonly type: C['type'];
  /** @returns what the log says of it beside its id. */
  facts(config: C): Readonly<Record<string, unknown>>;
}

/** A kind that runs in the process of the node. */
export interface InNodeComponentType<C extends AnyComponentConfig = AnyComponentConfig> extends CommonComponentType<C> {
  /** Finds the function that is called with the session. Rejects when it is not there; the message is for the operator. */
  load(config: C, deps: ComponentTypeDeps): Promise<ComponentFunction>;
}

/** The host that runs a component: a program of ours, one process for each worker that needs it. */
export type HostName = 'python' | 'node';

/** A kind that runs in a process of its own. */
export interface HostedComponentType<C extends AnyComponentConfig = AnyComponentConfig> extends CommonComponentType<C> {
  readonly host: HostName;
  /** @returns what the host is told, beside what all components have. */
  spec(config: C): Readonly<Record<string, unknown>>;
}

/** One kind of component. */
export type ComponentType<C extends AnyComponentConfig = AnyComponentConfig> =
  InNodeComponentType<C> | HostedComponentType<C>;

/** A kind for every word of the config. */
export type ComponentTypes = {
  readonly [T in ComponentConfig['type']]: ComponentType<Extract<ComponentConfig, { readonly type: T }>>;
};

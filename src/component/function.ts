/** `function`: a component that is a session of Autobahn, and functions of Python that are called as things happen to it. */
import type { HostedComponentType } from './component-type.js';
import type { FunctionComponentConfig } from './schema.js';

/** The config word `function`. */
export const functionComponentType: HostedComponentType<FunctionComponentConfig> = {
  type: 'function',
  host: 'python',
  facts: ({ callbacks }) => ({ callbacks }),
  spec: ({ callbacks }) => ({ type: 'function', callbacks }),
};

/** `class`: a component that is a class of Python, an `ApplicationSession` of Autobahn on Twisted. */
import type { HostedComponentType } from './component-type.js';
import type { ClassComponentConfig } from './schema.js';

/** The config word `class`. */
export const classComponentType: HostedComponentType<ClassComponentConfig> = {
  type: 'class',
  host: 'python',
  facts: ({ classname }) => ({ classname }),
  spec: ({ classname }) => ({ type: 'class', classname }),
};

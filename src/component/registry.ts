/** The kinds of components: config word -> kind. A new one is a file of its own and a line here. */
import { classComponentType } from './class.js';
import { functionComponentType } from './function.js';
import { moduleComponentType } from './module.js';
import { calleeComponentType, subscriberComponentType } from './native.js';
import type { ComponentTypes } from './component-type.js';

/** The kinds that we ship. */
export const COMPONENTS: ComponentTypes = {
  class: classComponentType,
  function: functionComponentType,
  module: moduleComponentType,
  callee: calleeComponentType,
  subscriber: subscriberComponentType,
};

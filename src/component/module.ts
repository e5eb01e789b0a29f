/** `module`: a component that is a function of a JavaScript module. */
import { loadFunction } from '../system/module.js';
import type { InNodeComponentType } from './component-type.js';
import type { ModuleComponentConfig } from './schema.js';

/** The config word `module`. */
export const moduleComponentType: InNodeComponentType<ModuleComponentConfig> = {
  type: 'module',
  facts: ({ module, name }) => ({ module, function: name }),
  load: ({ module, name }, { cbdir }) => loadFunction(cbdir, module, name),
};

/** Whether a module that the config names is there. What it exports shows only when it runs, with the start of the node. */
import type { Look } from '../schema/look.js';
import { findModule, ModuleError } from './module.js';

/** The look `module`. The value is the name of the module. */
export const lookAtModule: Look<string> = async (module, { cbdir, report }) => {
  try {
    await findModule(cbdir, module);
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    report([], error.message);
  }
};

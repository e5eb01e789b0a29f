/** What is checked of the name of a realm. */
import type { Adapt } from '../schema/rules.js';

/** The checker of Crossbar.io takes such a name, its router does not. */
export const noteShortName: Adapt = (name) => {
  if (typeof name !== 'string' || !/^[A-Za-z][A-Za-z\d_\-@.]$/.test(name)) return undefined;
  return {
    value: name,
    note: `found ${JSON.stringify(name)}, a name of 2 characters: no realm of Crossbar.io could have it`,
  };
};

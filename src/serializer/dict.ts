/** Dictionaries with keys that strangers chose. */

/** Sets a member, also one with the name `__proto__`, which plain assignment would take for the prototype. */
export function define(dict: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(dict, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    dict[key] = value;
  }
}

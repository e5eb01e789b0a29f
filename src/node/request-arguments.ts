/** Reads the arguments of a request through the control socket. What is wrong is told to the one who asked. */
import type { ControlArguments } from './control.js';

/** @throws Error when it is something else than a text. */
export function textOf(request: ControlArguments, key: string): string | undefined {
  const value = request[key];
  if (value === undefined || typeof value === 'string') return value;
  throw new Error(`"${key}" must be a text`);
}

/** @throws Error when it is something else than a number. */
export function numberOf(request: ControlArguments, key: string): number | undefined {
  const value = request[key];
  if (value === undefined || typeof value === 'number') return value;
  throw new Error(`"${key}" must be a number`);
}

/** The environment of a program that the node starts. */
import type { EnvironmentConfig } from '../process/environment-schema.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** @param own that of the node */
export function guestEnvironment({ inherit, vars }: EnvironmentConfig, own: Environment): Environment {
  // Python keeps its output back when nobody sits at a terminal, and the log would be silent.
  return { PYTHONUNBUFFERED: '1', ...inherited(inherit, own), ...vars };
}

function inherited(inherit: boolean | readonly string[], own: Environment): Environment {
  if (typeof inherit === 'boolean') return inherit ? own : {};
  return Object.fromEntries(inherit.filter((name) => own[name] !== undefined).map((name) => [name, own[name]]));
}

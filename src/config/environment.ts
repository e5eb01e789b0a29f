/**
 * The two places where a config may name an environment variable, as in Crossbar.io: `"port": "$PORT"` and
 * `"disabled": "${NAME}"`. There is no general substitution.
 */

/** The environment variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** @returns the port, or a text that says what is wrong with the variable; undefined for anything that is neither. */
export function resolvePort(port: unknown, env: Environment): number | { readonly problem: string } | undefined {
  if (typeof port === 'number') return port;
  const name = typeof port === 'string' ? /^\$([a-zA-Z_][a-zA-Z0-9_]*)$/.exec(port)?.[1] : undefined;
  if (name === undefined) return undefined;
  const value = env[name];
  if (value === undefined) return { problem: `the environment variable "${name}" is not set` };
  const number = /^[0-9]{1,5}$/.test(value) ? Number(value) : NaN;
  if (number <= 65_535) return number;
  // The value is not shown: a variable of that name may hold a secret.
  return { problem: `the environment variable "${name}" is no port number` };
}

/** @returns what finds the port that a value names; undefined when it names none. */
export function portsIn(env: Environment): (port: unknown) => number | undefined {
  return (port) => {
    const found = resolvePort(port, env);
    return typeof found === 'number' ? found : undefined;
  };
}

/** @returns whether a worker is left out. */
export function resolveDisabled(disabled: unknown, env: Environment): boolean {
  if (typeof disabled !== 'string') return disabled === true;
  const name = /^\$\{([a-zA-Z_][a-zA-Z0-9_]*)\}$/.exec(disabled)?.[1];
  return name !== undefined && Boolean(env[name]);
}

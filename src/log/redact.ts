/**
 * The net under the rule that no secret is logged: what has the name of one is censored, in a record and one level below.
 * By hand, because the wildcards of pino's `redact` cost as much as all the rest of a line, and there are two lines for
 * each connection.
 */

const CENSORED = '[Redacted]';
const SECRET_NAMES: ReadonlySet<string> = new Set([
  ...['cbtid', 'cookie', 'set-cookie', 'secret', 'ticket', 'token', 'access_token'],
]);

type Fields = Record<string, unknown>;

/** Whether what has this name is censored. */
export function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name);
}

/** @returns the record itself when there is nothing to censor, as should always be. */
export function censored(record: Fields): Fields {
  return withoutSecrets(record, (value) =>
    typeof value === 'object' && value !== null ? withoutSecrets(value as Fields, asIs) : value,
  );
}

function withoutSecrets(fields: Fields, inner: (value: unknown) => unknown): Fields {
  let safe = fields;
  for (const name in fields) {
    const value = fields[name];
    const shown = SECRET_NAMES.has(name) ? CENSORED : inner(value);
    if (shown === value) continue;
    if (safe === fields) safe = { ...fields };
    safe[name] = shown;
  }
  return safe;
}

function asIs(value: unknown): unknown {
  return value;
}

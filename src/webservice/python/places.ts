/** Where the config has applications of Python. Pure. */
import type { ResourceConfig, WsgiConfig } from './schema.js';

const WORDS: readonly unknown[] = ['wsgi', 'resource'] satisfies readonly (WsgiConfig | ResourceConfig)['type'][];

/** @param transport one of the config, which may be wrong anywhere. @returns whether Python answers on one of its paths. */
export function servesPython(transport: unknown): boolean {
  const { paths, web } = fieldsOf(transport);
  const services = [paths, fieldsOf(web)['paths']].flatMap((tree) => Object.values(fieldsOf(tree)));
  return services.some((service) => WORDS.includes(fieldsOf(service)['type']) || servesPython(service));
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

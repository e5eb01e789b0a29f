/** The methods by which proxy workers of Crossbar.io log in at a router. Here they need none (`worker/proxy/`), and nobody else may. */
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { letsNobodyIn } from './proxy-rules.js';

const proxyKeywords = {
  type: 'object',
  rules: letsNobodyIn,
} as const;

export const anonymousProxySchema = {
  ...proxyKeywords,
  description:
    'Lets in proxy workers, on a socket file. Has no effect: those of this node need no login, those of other nodes cannot log in.',
} as const satisfies ConfigSchema;

export const cryptosignProxySchema = {
  ...proxyKeywords,
  description:
    'Lets in proxy workers that have a key. Has no effect: those of this node need no login, those of other nodes cannot log in.',
} as const satisfies ConfigSchema;

/** The words for it in `auth`. */
export const PROXY_METHODS: ReadonlySet<string> = new Set(['anonymous-proxy', 'cryptosign-proxy']);

/** @returns whether only proxy workers log in where this is the `auth` section. */
export function isForProxiesOnly(auth: object | undefined): boolean {
  const words = Object.keys(auth ?? {});
  return words.length > 0 && words.every((word) => PROXY_METHODS.has(word));
}

export type ProxyAuthConfig = Checked<typeof anonymousProxySchema>;

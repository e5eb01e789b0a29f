/** Whose headers say where a client is, and how it came: for the node, and for a web transport. */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { checkTrustedProxies } from './rules.js';

const OWN = 'An addition to the keys of Crossbar.io.';

/** @param absent the default in words. */
function proxyKeys(absent: string) {
  return {
    trusted_proxies: {
      type: 'array',
      uniqueItems: true,
      rules: checkTrustedProxies,
      items: {
        type: 'string',
        minLength: 1,
        description: 'An address, a network such as `10.0.0.0/8`, `loopback` (this machine) or `unix` (socket files).',
      },
      absent,
      description: `The proxies whose word counts. What such a proxy says in \`X-Forwarded-For\` and \`X-Forwarded-Proto\`, or in \`Forwarded\`, is the address of the client and whether it came by https: for the log, the details of sessions, limits for each address, and \`Secure\` of cookies. Of all others these headers are ignored, because anybody can write them. ${OWN}`,
    },
    trust_host: {
      type: 'boolean',
      absent: absent === 'none' ? 'false' : absent,
      description: `Also takes the host that the client asked for from trusted proxies (\`X-Forwarded-Host\`, \`X-Forwarded-Port\`), for proxies that change \`Host\`. Only for a proxy that always writes that header itself: otherwise any page can make itself \`self\`. ${OWN}`,
    },
    proxy_headers: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: {
        type: 'string',
        enum: ['x-forwarded', 'forwarded'],
        description: '`x-forwarded` for `X-Forwarded-*`, `forwarded` for `Forwarded` (RFC 7239).',
      },
      absent: absent === 'none' ? 'both' : absent,
      description: `The headers that the trusted proxies write. Of both, \`X-Forwarded-*\` counts where it is there. Most proxies write one kind, and pass the other on as the client sent it: name the one that yours writes. ${OWN}`,
    },
  } as const satisfies Readonly<Record<string, ConfigSchema>>;
}

/** The keys of `controller.options`, for all transports that speak HTTP. */
export const nodeProxyKeys = proxyKeys('none');

/** The keys of one web transport. */
export const webProxyKeys = proxyKeys('that of `controller.options`');

type Keys = { readonly [K in keyof typeof nodeProxyKeys]?: Checked<(typeof nodeProxyKeys)[K]> };

/** Checked keys. */
export type ProxyTrustConfig = Keys;

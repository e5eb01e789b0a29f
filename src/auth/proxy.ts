/**
 * The methods by which proxy workers of Crossbar.io log in: whoever asks for one is passed on to the next method. They are there so
 * that a place where nobody else may log in stays closed, and does not become one without `auth`.
 */
import type { AuthMethodType } from './method.js';
import type { ProxyAuthConfig } from './proxy-schema.js';

function closed(type: string): AuthMethodType<ProxyAuthConfig> {
  return { type, withoutSecret: true, create: () => ({ start: () => ({ type: 'pass' }) }) };
}

export const anonymousProxy = closed('anonymous-proxy');
export const cryptosignProxy = closed('cryptosign-proxy');

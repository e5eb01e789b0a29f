/** What is checked of transports with a monitor on one of their paths. */
import type { Place, Rules } from '../../schema/rules.js';

/** Addresses of this machine. */
const LOOPBACK = /^127\.|^::1$|^localhost$/;

/** Rule of a web transport: what operators type, and what they see, is not for others on the way. */
export const checkMonitors: Rules = (transport, { warn }) => {
  const endpoint = transport.get('endpoint');
  if (endpoint.get('type').value === 'unix' || !endpoint.get('tls').missing) return;
  if (LOOPBACK.test(endpoint.get('interface').text() ?? '')) return;
  for (const paths of [transport.get('paths'), transport.at('web', 'paths')]) warnOf(paths, warn);
};

function warnOf(paths: Place, warn: (path: readonly string[], text: string) => void): void {
  for (const service of paths.entries()) {
    if (service.get('type').value === 'path') warnOf(service.get('paths'), warn);
    if (service.get('type').value !== 'monitor') continue;
    warn(
      service.path,
      'the monitor can be reached from other machines without TLS: others on the way could read the passwords of operators (give the endpoint "tls", or "interface": "127.0.0.1" behind a proxy with TLS)',
    );
  }
}

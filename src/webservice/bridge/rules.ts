/** What is checked of the services of the HTTP bridge beyond what the schema can say. */
import type { Place, Rules } from '../../schema/rules.js';
import { isReservedUri, isValidUri, quoted } from '../../wamp/uri.js';
import { parseNetwork } from './networks.js';

/** Rule of the options of a `publisher` or `caller`. */
export const checkSigned: Rules = (options, { report, warn }) => {
  const [key, secret] = [options.get('key'), options.get('secret')];
  if (!key.missing && secret.missing) {
    report(key.path, 'found without "secret", so that nobody has to sign anything (allowed: both, or neither)');
  }
  if (key.missing && !secret.missing) {
    report(secret.path, 'found without "key", which signed requests have to name (allowed: both, or neither)');
  }
  const limit = options.get('timestamp_delta_limit');
  if (limit.value === 0 && !secret.missing) {
    warn(limit.path, 'found 0: a signed request that somebody has overheard works again five minutes later');
  }
};

/** Rule of `require_ip`. */
export const checkNetworks: Rules = (list, { report, warn }) => {
  for (const item of list.items()) {
    const text = item.text();
    if (text === undefined || text === '' || parseNetwork(text) !== undefined) continue;
    report(
      item.path,
      `found ${quoted(text)}, which is no address and no network (allowed: such as "192.168.1.0/24" or "2001:db8::/32")`,
    );
  }
  if (Array.isArray(list.value) && list.value.length === 0) warn(list.path, 'found an empty list: all clients may ask');
};

/** Rule of a `webhook`: a topic that no publication can have would be found out when somebody calls back. */
export const checkTopic: Rules = (service, { realms, report }) => {
  const place = service.at('options', 'topic');
  const topic = place.text();
  if (topic === undefined || topic === '') return;
  const rule = ruleOf(realms.find((realm) => realm.get('name').value === service.get('realm').value));
  if (isReservedUri(topic)) {
    report(
      place.path,
      `found ${quoted(topic)}, which is reserved for the router (allowed: a URI that is not below "wamp.")`,
    );
  } else if (!isValidUri(topic, rule)) {
    report(place.path, `found ${quoted(topic)}, which is no URI (allowed: a URI by the ${rule} rule of the realm)`);
  }
};

function ruleOf(realm: Place | undefined): 'loose' | 'strict' {
  return realm?.at('options', 'uri_check').value === 'strict' ? 'strict' : 'loose';
}

/** What the check of the config says of the services of the HTTP bridge. */
import { describe, expect, it } from 'vitest';

import { check, node, problemsOf } from './configs.js';

const SERVICE = { realm: 'realm1', role: 'anonymous' };
const AT = '/workers/0/transports/0/paths/bridge';

function config(type: string, options?: object, more: object = {}): object {
  return node({ web: { paths: { bridge: { type, ...SERVICE, ...(options && { options }), ...more } } } });
}

const optionsOf = (value: object): unknown => {
  const { config: checked } = check(value) as unknown as { config: { workers: { transports: { paths: object }[] }[] } };
  return (checked.workers[0]?.transports[0]?.paths as { bridge: { options: unknown } }).bridge.options;
};

describe('a service of the bridge', () => {
  const common = { post_body_limit: 0, allowed_origins: ['self'], allow_null_origin: false };
  const asked = { ...common, timestamp_delta_limit: 300, require_tls: false, error_status: false };

  it('has defaults for everything but its realm and role, and the topic of a webhook', () => {
    expect(optionsOf(config('publisher'))).toEqual(asked);
    expect(optionsOf(config('caller'))).toEqual({ ...asked, timeout: 0 });
    expect(optionsOf(config('webhook', { topic: 'com.example.hook' }))).toEqual({
      ...common,
      topic: 'com.example.hook',
      success_response: 'OK',
      error_response: 'NOT OK',
      secret_headers: [],
    });
  });

  it('takes what Crossbar.io takes', () => {
    const options = {
      key: 'foobar',
      secret: 'secret',
      require_tls: true,
      require_ip: ['192.168.1.1/255.255.255.0', '127.0.0.1', '10.0.0.1/0.0.0.255'],
      post_body_limit: 1_048_576,
      timestamp_delta_limit: 86_400,
      debug: true,
    };
    for (const type of ['publisher', 'caller']) {
      const { warnings, notes } = check(config(type, options));
      expect([warnings, notes.map(({ pointer }) => pointer)]).toEqual([[], [`${AT}/options/debug`]]);
    }
    const hook = { topic: 'com.example.hook', github_secret: 'x', post_body_limit: 0, debug: false };
    expect(check(config('webhook', hook)).warnings).toEqual([]);
  });

  it.each<[string, object, string]>([
    [
      'a key without a secret',
      config('publisher', { key: 'foobar' }),
      `${AT}/options/key: found without "secret", so that nobody has to sign anything (allowed: both, or neither)`,
    ],
    [
      'a secret without a key',
      config('caller', { secret: 'x' }),
      `${AT}/options/secret: found without "key", which signed requests have to name (allowed: both, or neither)`,
    ],
    [
      'a network that is none',
      config('publisher', { require_ip: ['10.0.0.0/33'] }),
      `${AT}/options/require_ip/0: found "10.0.0.0/33", which is no address and no network (allowed: such as "192.168.1.0/24" or "2001:db8::/32")`,
    ],
    [
      'a mask with a hole',
      config('publisher', { require_ip: ['10.0.0.0/255.0.255.0'] }),
      `${AT}/options/require_ip/0: found "10.0.0.0/255.0.255.0", which is no address and no network (allowed: such as "192.168.1.0/24" or "2001:db8::/32")`,
    ],
    [
      'a webhook for a topic of the router',
      config('webhook', { topic: 'wamp.x' }),
      `${AT}/options/topic: found "wamp.x", which is reserved for the router (allowed: a URI that is not below "wamp.")`,
    ],
    [
      'a webhook for what is no URI',
      config('webhook', { topic: 'a b' }),
      `${AT}/options/topic: found "a b", which is no URI (allowed: a URI by the loose rule of the realm)`,
    ],
    ['a webhook without a topic', config('webhook', {}), `${AT}/options: missing key "topic"`],
    [
      'a realm that is not there',
      config('publisher', {}, { realm: 'realm2' }),
      `${AT}/realm: the worker has no realm "realm2" (allowed: "realm1")`,
    ],
    [
      'a role that is not there',
      config('caller', {}, { role: 'nobody' }),
      `${AT}/role: the realm "realm1" does not have a role "nobody" (allowed: "anonymous")`,
    ],
  ])('refuses %s', (_case, value, problem) => {
    expect(problemsOf(value).join('\n')).toContain(problem);
  });

  it('warns of signed requests of any time, and of an empty list of networks', () => {
    const { warnings } = check(
      config('publisher', { key: 'a', secret: 'b', timestamp_delta_limit: 0, require_ip: [] }),
    );
    expect(warnings.map(({ pointer }) => pointer).sort()).toEqual([
      `${AT}/options/require_ip`,
      `${AT}/options/timestamp_delta_limit`,
    ]);
  });
});

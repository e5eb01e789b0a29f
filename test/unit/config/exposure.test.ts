/** The warnings about roles that let strangers read cookie ids, or end the sessions of visitors. */
import { describe, expect, it } from 'vitest';

import { check, node } from './configs.js';

const OPEN = {
  uri: 'com.example.',
  match: 'prefix',
  allow: { call: true, register: true, publish: true, subscribe: true },
};
const POINTER = '/workers/0/realms/0/roles/0';

interface Parts {
  readonly permissions?: readonly object[];
  /** False: browsers have none. */
  readonly cookie?: object | false;
  readonly auth?: object;
  readonly options?: object;
  readonly more?: readonly object[];
}

/** @returns the warnings of a node whose strangers have these permissions. */
function warningsOf({ permissions, cookie = {}, auth, options = {}, more = [] }: Parts): string[] {
  const role = { name: 'anonymous', ...(permissions ? { permissions } : { 'allow-by-default': true }) };
  const realms = [{ name: 'realm1', options, roles: [role, { name: 'member', 'allow-by-default': true }] }];
  const web = node({ websocket: { ...(cookie && { cookie }), ...(auth && { auth }) } }).workers[0]?.transports ?? [];
  const { warnings } = check(node({ worker: { realms, transports: [...web, ...more] } }));
  return warnings.map(({ pointer, text }) => `${pointer}: ${text}`);
}

describe('a role that strangers get, where visitors are called by the ids of their cookies', () => {
  it.each([
    ['everything', undefined],
    ['everything by a rule', [{ uri: '*', allow: { call: true, register: true } }]],
    ['wamp.session.get', [{ uri: 'wamp.session.get', allow: { call: true } }]],
    ['every third component below wamp.session', [{ uri: 'wamp.session.', match: 'wildcard', allow: { call: true } }]],
    ['on_join', [{ uri: 'wamp.session.on_join', allow: { subscribe: true } }]],
    ['on_leave', [{ uri: 'wamp.session.on_leave', allow: { subscribe: true } }]],
  ])('is warned of when it may do %s', (_what, permissions) => {
    const [first] = warningsOf({ ...(permissions && { permissions }) });
    expect(first).toContain(`${POINTER}: `);
    expect(first).toContain('/workers/0/transports/0/paths/ws/cookie');
    expect(first).toContain('"authid": "derived"');
  });

  it.each([
    ['rules that leave wamp. out', { permissions: [OPEN] }],
    [
      'a rule that shuts wamp.',
      {
        permissions: [
          { uri: '*', allow: { call: true } },
          { uri: 'wamp.*', allow: {} },
        ],
      },
    ],
    ['no meta API', { options: { enable_meta_api: false } }],
    [
      'a name of its own for everybody',
      { permissions: [OPEN], auth: { anonymous: { type: 'static', authid: 'guest' } } },
    ],
    ['no strangers', { auth: { ticket: { type: 'static', principals: { joe: { ticket: 'x', role: 'member' } } } } }],
  ] as const)('is not warned of with %s', (_what, parts) => {
    expect(warningsOf(parts)).toEqual([]);
  });

  it('is found at the other entrances of the realm, too, but not where programs of the operator come in', () => {
    const auth = { anonymous: { type: 'static', role: 'member' } };
    const endpoint = { type: 'tcp', port: 8081 };
    const entrance = (parts: object): object => ({ type: 'rawsocket', endpoint: { ...endpoint, ...parts }, auth });
    const at = (transport: object): string[] => warningsOf({ permissions: [OPEN], more: [transport] });
    expect(at(entrance({}))[0]).toContain('/workers/0/realms/0/roles/1: ');
    expect(at(entrance({ interface: '127.0.0.1' }))).toEqual([]);
    expect(at({ type: 'rawsocket', endpoint: { type: 'unix', path: 'raw.sock' }, auth })).toEqual([]);
  });

  it.each([
    ['publisher', { publish: true }, { subscribe: true }],
    ['caller', { call: true }, { register: true }],
  ])('is warned of when it is shown as %s to strangers', (key, doing, receiving) => {
    const disclosing = { uri: 'com.example.*', allow: doing, disclose: { [key]: true } };
    const receiver = { uri: 'com.example.chat', allow: receiving };
    const found = warningsOf({ permissions: [disclosing, receiver] });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`${POINTER}/permissions/0/disclose/${key}: `);
    expect(warningsOf({ permissions: [disclosing] })).toEqual([]);
    expect(warningsOf({ permissions: [disclosing, receiver], cookie: { authid: 'derived' } })).toEqual([]);
  });

  it('is warned of when it may log out others, whatever they are called', () => {
    const kill = [{ uri: 'wamp.session.kill_all', allow: { call: true } }];
    const found = warningsOf({ permissions: kill, cookie: { authid: 'derived' } });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('"wamp.session.kill_all"');
    expect(warningsOf({ permissions: [OPEN], cookie: { authid: 'derived' } })).toEqual([]);
  });
});

describe('a role that strangers get', () => {
  it.each(['wamp.registration.remove_callee', 'wamp.subscription.remove_subscriber'])(
    'is warned of when it may call %s',
    (uri) => {
      const [warning] = warningsOf({ permissions: [{ uri, allow: { call: true } }] });
      expect(warning).toContain(`${POINTER}: strangers get this role, and may call "${uri}", which takes`);
    },
  );

  it('is warned of when a rule lets it manage the cookies of the node; one for everything does not', () => {
    const shut = { uri: 'wamp.*', allow: {} };
    const naming = { uri: 'crossbar.cookie.revoke', allow: { call: true } };
    expect(warningsOf({ permissions: [shut, naming] })[0]).toContain('manages the cookies of everybody');
    expect(warningsOf({ permissions: [shut, { uri: '*', allow: { call: true } }] })).toEqual([]);
  });

  const naming = (uri: string, match = 'prefix'): object => ({ uri, match, allow: { call: true } });
  const ENDING = 'may call "crossbar.monitor.session.end", by which operators end the sessions of everybody';
  const LOOKING = 'which shows operators the users, addresses and topics of all realms';

  it.each([
    ['all of it', naming('crossbar.monitor.'), [LOOKING]],
    ['whatever is below crossbar.', naming('crossbar.'), [LOOKING]],
    ['one list', naming('crossbar.monitor.topics', 'exact'), [LOOKING]],
    ['ending sessions', naming('crossbar.monitor.session.'), [ENDING]],
    ['logging users out', naming('crossbar.monitor.cookie.logout', 'exact'), ['"crossbar.monitor.cookie.logout"']],
    ['everything, by a rule that does not name it', naming(''), []],
    ['what is near it', naming('crossbar.monitoring.'), []],
  ])('is warned of when it may use the monitor: %s', (_what, permission, texts) => {
    const shut = { uri: 'wamp.', match: 'prefix', allow: {} };
    for (const cookie of [false, {}] as const) {
      const found = warningsOf({ permissions: [shut, permission], cookie });
      const shown = found.filter((text) => text.includes('crossbar.monitor.'));
      expect(shown).toHaveLength(texts.length);
      for (const [index, text] of texts.entries()) expect(shown[index]).toContain(text);
    }
  });

  it('is not warned of when the role of the monitor is got by a login alone', () => {
    const auth = { ticket: { type: 'static', principals: { olga: { ticket: 'x', role: 'anonymous' } } } };
    expect(warningsOf({ permissions: [naming('crossbar.monitor.')], auth })).toEqual([]);
  });
});

describe('strangers who publish and subscribe only', () => {
  const role = { name: 'device', permissions: [{ uri: 'wamp.*', allow: { call: true, register: true } }] };
  const devices = (permissions: readonly object[]) => {
    const auth = { anonymous: { type: 'static', role: 'device' } };
    const realms = [
      {
        name: 'realm1',
        roles: [
          { ...role, permissions },
          { name: 'anonymous', permissions: [] },
        ],
      },
      { name: 'realm2', roles: [{ ...role, permissions: [{ uri: '*', allow: { call: true, subscribe: true } }] }] },
    ];
    const mqtt = { type: 'mqtt', endpoint: { type: 'tcp', port: 1883 }, options: { realm: 'realm1', auth } };
    const web = node({ websocket: { cookie: {} } }).workers[0]?.transports ?? [];
    return check(node({ worker: { realms, transports: [...web, mqtt] } })).warnings.map(({ pointer }) => pointer);
  };

  it('may have rules for calls: they come without a warning, and so does what is in another realm', () => {
    expect(devices(role.permissions)).toEqual([]);
  });

  it('are warned of when they may hear who joins', () => {
    expect(devices([{ uri: 'wamp.session.on_join', allow: { subscribe: true } }])).toEqual([POINTER]);
  });
});

/** Who a client of MQTT is, in the daemon: by a password, by a certificate, by nothing; and an endpoint that several routers share. */
import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import mqtt from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Certificates, HAS_OPENSSL } from '../../support/certificates.js';
import { startDaemon, temporaryDirectory } from '../../support/daemon.js';
import { endTheirClients, JsClient } from '../../support/mqtt-clients.js';
import { MqttNode, subscribed } from '../../support/mqtt-node.js';
import { describeNeeds } from '../../support/needs.js';
import { ALLOW_ALL, LOOPBACK, openRealm } from '../../support/node-config.js';
import { freePorts } from '../../support/ports.js';
import type { JoinedClient } from '../../support/wamp-client.js';

const AUTHENTICATOR = 'com.example.authenticate';
const ROLES = ['anonymous', 'user'].map((name) => ({ name, permissions: ALLOW_ALL }));
const realms = [{ name: 'realm1', roles: ROLES }];

/** What the router says of the next one who joins. */
async function nextToJoin(wamp: JoinedClient): Promise<unknown> {
  return ((await wamp.next())[4] as unknown[])[0];
}

describe('a client', () => {
  let node: MqttNode;
  let wamp: JoinedClient;
  beforeAll(async () => {
    const principals = { joe: { ticket: 'secret', role: 'user' } };
    const ticket = { type: 'static', principals };
    const anonymous = { type: 'static', role: 'anonymous' };
    const asking = { type: 'dynamic', authenticator: AUTHENTICATOR };
    node = await MqttNode.start({
      realms,
      mqtt: [{ auth: { ticket, anonymous } }, { auth: { ticket } }, { auth: { ticket: asking } }],
    });
    wamp = await node.wamp();
    await subscribed(wamp, 'wamp.session.on_join');
  });
  afterAll(() => node.daemon.dispose());
  afterEach(endTheirClients);

  const refusal = (port: number, options: object): Promise<unknown> =>
    mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options }).then(
      () => 'let in',
      (error: unknown) => (error as { code: unknown }).code,
    );

  it('with the right password is its user', async () => {
    await node.mqtt({ username: 'joe', password: 'secret' });
    expect(await nextToJoin(wamp)).toMatchObject({ authid: 'joe', authrole: 'user', authmethod: 'ticket' });
  });

  it('without a user name is nobody, whatever its client id is', async () => {
    await node.mqtt({ clientId: 'joe' });
    const found = await nextToJoin(wamp);
    expect(found).toMatchObject({ authrole: 'anonymous', authmethod: 'anonymous' });
    expect(found).not.toMatchObject({ authid: 'joe' });
  });

  it('is shown to an authenticator with its client id and its will', async () => {
    const authenticator = await node.wamp();
    await authenticator.ask([64, 1, {}, AUTHENTICATOR]);
    const will = { topic: 'a/will', payload: 'x', qos: 0, retain: false } as const;
    const connecting = node.mqtt({ port: node.port(2), clientId: 'one', username: 'ann', password: 'a-secret', will });
    const [, request, , , [realm, authid, details] = []] = (await authenticator.next()) as [
      68,
      number,
      0,
      0,
      unknown[]?,
    ];
    expect([realm, authid]).toEqual(['realm1', 'ann']);
    const mqttExtra = { client_id: 'one', will: true, will_topic: 'a/will' };
    expect(details).toMatchObject({ ticket: 'a-secret', authextra: { mqtt: mqttExtra } });
    authenticator.send([70, request, {}, ['user']]);
    await connecting;
  });

  it('with a wrong password, or as somebody else, is refused with 4, and never is nobody instead', async () => {
    expect(await refusal(node.port(), { username: 'joe', password: 'no-such-password' })).toBe(4);
    expect(await refusal(node.port(), { username: 'ann', password: 'secret' })).toBe(4);
    expect(await refusal(node.port(), { username: 'joe' })).toBe(4);
  });

  it('without a user name, where there must be one, is refused with 5', async () => {
    expect(await refusal(node.port(1), {})).toBe(5);
  });

  it('leaves no password in the log', () => {
    expect(node.daemon.output).not.toMatch(/secret|no-such-password/);
  });
});

describeNeeds('the openssl command', HAS_OPENSSL)('a client with a certificate', () => {
  const certificates = new Certificates(temporaryDirectory());
  let node: MqttNode;
  let wamp: JoinedClient;
  beforeAll(async () => {
    const { fingerprint: sha1, fingerprint256: sha256 } = new X509Certificate(
      readFileSync(certificates.file('client.pem')),
    );
    const principals = { joe: { 'certificate-sha1': sha1, 'certificate-sha256': sha256, role: 'user' } };
    const tls = {
      ...{ key: certificates.file('server.key'), certificate: certificates.file('server.pem') },
      ca_certificates: [certificates.file('root.pem')],
    };
    node = await MqttNode.start({
      ...{ realms, endpoint: { ...LOOPBACK, tls } },
      mqtt: [{ auth: { tls: { type: 'static', principals } } }],
    });
    wamp = await node.wamp();
    await subscribed(wamp, 'wamp.session.on_join');
  });
  afterAll(() => node.daemon.dispose());
  afterEach(endTheirClients);

  const connect = (name?: string): Promise<JsClient> => {
    const own = name !== undefined && { cert: certificates.text(`${name}.pem`), key: certificates.text(`${name}.key`) };
    const ca = [certificates.text('root.pem'), certificates.text('intermediate.pem')];
    return JsClient.connect({ port: node.port() }, { url: `mqtts://127.0.0.1:${node.port()}`, ca, ...own });
  };

  it('that is known is its principal, and is served', async () => {
    const client = await connect('client');
    expect(await nextToJoin(wamp)).toMatchObject({ authid: 'joe', authrole: 'user', authmethod: 'tls' });
    await client.subscribe(['a', 1]);
    await client.publish('a', 'x', { qos: 2 });
    expect(await client.take(1)).toEqual(['a x q1']);
  });

  it.each([
    ['of a stranger', 'strangers-client'],
    ['that is missing', undefined],
  ])('%s is not let in', async (_what, name) => {
    await expect(connect(name)).rejects.toThrow();
  });
});

describe('a port that the transports of two routers share', () => {
  it('is listened to once: its clients go to the first router that has their realm', async () => {
    const [port] = await freePorts(1);
    const endpoint = { ...LOOPBACK, port, shared: true };
    const auth = { anonymous: { type: 'static', role: 'anonymous' } };
    const transport = { type: 'mqtt', endpoint, options: { realm: 'realm1', auth } };
    const worker = { type: 'router', realms: [openRealm('realm1')], transports: [transport] };
    const daemon = await startDaemon({ config: { version: 2, controller: {}, workers: [worker, worker] } });
    try {
      const [one, other] = [
        await JsClient.connect({ port: daemon.port }),
        await JsClient.connect({ port: daemon.port }),
      ];
      await one.subscribe(['a', 1]);
      await other.publish('a', 'x', { qos: 1 });
      expect(await one.take(1)).toEqual(['a x q1']);
      await endTheirClients();
      expect(await daemon.stop()).toBe(0);
    } finally {
      await daemon.dispose();
    }
  });
});

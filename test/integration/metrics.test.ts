/**
 * The path service `metrics` in the daemon: real clients do something, and the metrics move by exactly that. What they leave behind stays
 * counted. The text passes the checks of Prometheus itself, and the board and the alerts of `contrib/` name what is there.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { METRICS } from '../../src/metrics/catalogue.js';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { MetricsText } from '../support/metrics-text.js';
import { describeNeeds, itNeeds } from '../support/needs.js';
import { ALLOW_ALL, LOOPBACK, nodeConfig } from '../support/node-config.js';
import { HandshakeRefused, WampClient, cookieValue } from '../support/wamp-client.js';

const root = join(import.meta.dirname, '../..');
const HAS_PROMTOOL = spawnSync('promtool', ['--version']).status === 0;

const TOKEN = 'a token for tests';
const TICKET = { static: { type: 'static', principals: { joe: { ticket: 'ticket of joe', role: 'member' } } } };

function config(cookieFile: string, endpoint: object = LOOPBACK): object {
  return nodeConfig({
    realms: [
      {
        name: 'realm1',
        roles: [
          { name: 'anonymous', permissions: ALLOW_ALL },
          { name: 'member', permissions: [{ uri: 'com.', match: 'prefix', allow: { call: true } }] },
        ],
      },
    ],
    transport: { id: 'pages' },
    websocket: {
      auth: { anonymous: { type: 'static' }, ticket: TICKET.static },
      cookie: { store: { type: 'file', filename: cookieFile } },
      options: { allowed_origins: ['https://example.com'] },
    },
    paths: {
      metrics: { type: 'metrics', token: TOKEN, uris: [{ uri: 'com.named', match: 'prefix' }] },
      here: { type: 'metrics' },
    },
    transports: [{ type: 'rawsocket', id: 'raw', endpoint, serializers: ['json'] }],
  });
}

describe('metrics', () => {
  let daemon: Daemon;
  let last: MetricsText;
  const file = join(temporaryDirectory(), 'cookies.dat');

  beforeAll(async () => {
    daemon = await startDaemon({ config: config(file) });
  });
  afterAll(async () => {
    await daemon.dispose();
  });

  const textOf = async (accept = '*/*'): Promise<string> => {
    const headers = { authorization: `Bearer ${TOKEN}`, accept };
    const response = await fetch(daemon.url('/metrics'), { headers });
    expect(response.status).toBe(200);
    expect(response.headers.getSetCookie()).toEqual([]);
    return response.text();
  };

  /** A text is given to all who ask within a second: waits for one in which `isThere`. */
  async function scrape(isThere: (text: MetricsText) => boolean = () => true): Promise<MetricsText> {
    await expect
      .poll(
        async () => {
          last = new MetricsText(await textOf());
          return isThere(last);
        },
        { timeout: 15_000, interval: 200 },
      )
      .toBe(true);
    return last;
  }

  const url = (): string => daemon.url('/ws', 'ws');

  it('count what clients do, exactly, and keep it when they have left', async () => {
    const before = await scrape();
    expect(before.value('wamp_build_info')).toBe(1);

    const callee = await WampClient.join(url());
    const caller = await WampClient.join(url());
    const cookie = cookieValue(caller.handshake.setCookie[0] ?? '');
    expect((await callee.ask([64, 1, {}, 'com.named.add']))[0]).toBe(65);
    expect((await callee.ask([32, 2, { match: 'prefix' }, 'com.named']))[0]).toBe(33);
    for (const id of [1, 2, 3]) {
      caller.send([48, id, {}, 'com.named.add']);
      const [, request] = await callee.next();
      callee.send(id === 3 ? [8, 68, request, {}, 'com.error'] : [70, request, {}]);
      expect((await caller.next())[0]).toBe(id === 3 ? 8 : 50);
    }
    expect((await caller.ask([48, 4, {}, 'com.nowhere']))[0]).toBe(8);
    for (const id of [5, 6]) expect((await caller.ask([16, id, { acknowledge: true }, 'com.named.topic']))[0]).toBe(17);
    for (let i = 0; i < 2; i++) expect((await callee.next())[0]).toBe(36);

    // A login that succeeds, two that do not, and a page of another site.
    const headers = { headers: { cookie: `cbtid=${cookie}` } };
    const joe = await WampClient.connect(url(), headers);
    await joe.ask([1, 'realm1', { roles: { publisher: {} }, authmethods: ['ticket'], authid: 'joe' }]);
    expect((await joe.ask([5, 'ticket of joe', {}]))[0]).toBe(2);
    expect((await joe.ask([16, 1, { acknowledge: true }, 'com.named.topic']))[0]).toBe(8);
    const wrong = await WampClient.connect(url(), headers);
    await wrong.ask([1, 'realm1', { roles: { caller: {} }, authmethods: ['ticket'], authid: 'joe' }]);
    expect((await wrong.ask([5, 'wrong', {}]))[0]).toBe(3);
    const strange = await WampClient.connect(url(), headers);
    expect((await strange.ask([1, 'realm1', { roles: { caller: {} }, authmethods: ['tls'] }]))[0]).toBe(3);
    await Promise.all([wrong.closed, strange.closed]);
    await expect(WampClient.connect(url(), { headers: { origin: 'https://example.org' } })).rejects.toThrow(
      HandshakeRefused,
    );

    const open = await scrape((text) => text.value('wamp_connections_closed_total', { transport: 'pages' }) === 2);
    const value = (name: string, labels: Record<string, string> = {}): number =>
      open.value(name, labels) - before.value(name, labels);
    const pages = { transport: 'pages' };
    const realm = { realm: 'realm1' };
    expect({
      connections: value('wamp_connections', { ...pages, protocol: 'websocket' }),
      opened: value('wamp_connections_opened_total', { ...pages, protocol: 'websocket' }),
      denied: value('wamp_connections_closed_total', { ...pages, reason: 'denied' }),
      refused: value('wamp_handshakes_refused_total', { ...pages, reason: 'origin' }),
      anonymous: value('wamp_sessions', { ...realm, role: 'anonymous' }),
      members: value('wamp_sessions', { ...realm, role: 'member' }),
      joined: value('wamp_sessions_joined_total', realm),
      byTicket: value('wamp_sessions_joined_total', { ...realm, authmethod: 'ticket' }),
      logins: ['ok', 'denied', 'error'].map((outcome) => value('wamp_authentications_total', { outcome })),
      ticket: value('wamp_authentications_total', { method: 'ticket', outcome: 'denied' }),
      none: value('wamp_authentications_total', { method: 'none', outcome: 'denied' }),
    }).toEqual({
      ...{ connections: 3, opened: 5, denied: 2, refused: 1, anonymous: 2, members: 1, joined: 3, byTicket: 1 },
      ...{ logins: [3, 2, 0], ticket: 1, none: 1 },
    });
    expect({
      calls: ['result', 'error', 'no_callee'].map((outcome) => value('wamp_calls_total', { outcome })),
      durations: value('wamp_call_duration_seconds_count', realm),
      named: value('wamp_procedure_calls_total', { ...realm, procedure: 'com.named.add' }),
      namedDurations: value('wamp_procedure_duration_seconds_count', { ...realm, procedure: 'com.named.add' }),
      published: value('wamp_topic_publications_total', { ...realm, topic: 'com.named.topic' }),
      allowed: value('wamp_authorizations_total', { ...realm, action: 'publish', outcome: 'ok' }),
      deniedToPublish: value('wamp_authorizations_total', { ...realm, action: 'publish', outcome: 'denied' }),
      subscriptions: value('wamp_subscriptions', { ...realm, match: 'prefix' }),
      registrations: value('wamp_registrations', { ...realm, match: 'exact' }),
    }).toEqual({
      ...{ calls: [2, 1, 1], durations: 3, named: 3, namedDurations: 3, published: 2, allowed: 2, deniedToPublish: 1 },
      ...{ subscriptions: 1, registrations: 1 },
    });
    const received = (type: string, of = 'realm1') => open.value('wamp_messages_received_total', { realm: of, type });
    const sent = (type: string) => open.value('wamp_messages_sent_total', { ...realm, type });
    expect(['CALL', 'YIELD', 'ERROR', 'PUBLISH', 'SUBSCRIBE', 'REGISTER'].map((type) => received(type))).toEqual([
      ...[4, 2, 1, 3, 1, 1],
    ]);
    expect(['WELCOME', 'INVOCATION', 'RESULT', 'ERROR', 'PUBLISHED', 'EVENT'].map(sent)).toEqual([3, 3, 2, 3, 2, 2]);
    // Strangers have no realm.
    expect(open.value('wamp_messages_received_total', { type: 'HELLO' })).toBe(5);
    expect(open.value('wamp_messages_sent_total', { type: 'CHALLENGE' })).toBe(2);
    expect(open.value('wamp_messages_sent_total', { type: 'ABORT' })).toBe(2);
    expect(value('wamp_received_bytes_total', pages)).toBeGreaterThan(500);
    expect(value('wamp_sent_bytes_total', pages)).toBeGreaterThan(500);
    const store = `file ${file}`;
    expect(open.words('wamp_cookies', 'store')).toEqual([store]);
    // Two browsers, and the login of one of them.
    expect([
      open.value('wamp_cookies'),
      open.value('wamp_cookies_created_total'),
      open.value('wamp_cookie_logins_total'),
    ]).toEqual([2, 2, 1]);
    expect(open.value('wamp_cookie_store_sync_duration_seconds_count')).toBeGreaterThanOrEqual(3);
    expect(open.value('wamp_http_requests_total', { service: 'metrics', code: '2xx' })).toBeGreaterThan(0);
    expect(open.value('wamp_http_request_duration_seconds_count', { service: 'metrics' })).toBeGreaterThan(0);

    await callee.leave();
    await caller.drop();
    await joe.close();
    const after = await scrape((text) => text.value('wamp_connections_closed_total', pages) === 5);
    for (const metric of open.metrics.values()) {
      if (metric.type !== 'counter') continue;
      for (const [series, count] of metric.series) {
        const now = [...after.metrics.values()]
          .map((each) => each.series.get(series))
          .find((each) => each !== undefined);
        expect([series, (now ?? 0) >= count]).toEqual([series, true]);
      }
    }
    expect(after.value('wamp_sessions')).toBe(0);
    expect(after.value('wamp_connections')).toBe(0);
    expect(after.value('wamp_subscriptions') + after.value('wamp_registrations')).toBe(0);
    expect(after.value('wamp_calls_in_flight')).toBe(0);
    expect(after.value('wamp_sessions_left_total', { reason: 'goodbye' })).toBe(1);
    expect(after.value('wamp_sessions_left_total', { reason: 'lost' })).toBe(2);
  });

  it('show the process and the config', async () => {
    const text = await scrape();
    expect(text.value('process_resident_memory_bytes')).toBeGreaterThan(20e6);
    expect(text.value('process_open_fds')).toBeGreaterThan(5);
    expect(text.value('process_start_time_seconds')).toBeGreaterThan(1e9);
    expect(text.value('wamp_config_last_reload_successful')).toBe(1);
    expect(text.metrics.has('nodejs_eventloop_lag_seconds')).toBe(true);
  });

  it('are seen on this machine without a token, and by nobody whom a proxy brings', async () => {
    expect((await fetch(daemon.url('/here'))).status).toBe(200);
    expect((await fetch(daemon.url('/here'), { headers: { 'x-forwarded-for': '192.0.2.1' } })).status).toBe(403);
    expect((await fetch(daemon.url('/metrics'))).status).toBe(401);
    expect((await fetch(daemon.url('/here'), { method: 'POST' })).status).toBe(405);
    expect(daemon.output).not.toContain(TOKEN);
  });

  itNeeds('promtool (package prometheus)', HAS_PROMTOOL)('pass the checks of Prometheus', async () => {
    const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input: await textOf() });
    expect([status, stderr.toString(), stdout.toString()]).toEqual([0, '', '']);
    const openMetrics = await textOf('application/openmetrics-text');
    expect(new MetricsText(openMetrics, 'openmetrics').metrics.has('wamp_sessions')).toBe(true);
  });
});

describeNeeds('the openssl command', HAS_OPENSSL)('the certificate of a transport', () => {
  it('is shown with its end', async () => {
    const certificates = new Certificates(temporaryDirectory());
    const tls = { key: certificates.file('server.key'), certificate: certificates.file('server.pem') };
    const daemon = await startDaemon({
      config: config(join(temporaryDirectory(), 'cookies.dat'), { ...LOOPBACK, tls }),
    });
    const text = new MetricsText(await (await fetch(daemon.url('/here'))).text());
    const end = spawnSync('openssl', ['x509', '-enddate', '-noout', '-in', tls.certificate]).stdout.toString();
    const expected = Date.parse(end.trim().slice('notAfter='.length)) / 1000;
    expect(text.value('wamp_tls_certificate_expiry_timestamp_seconds', { transport: 'raw' })).toBe(expected);
    expect(text.words('wamp_tls_certificate_expiry_timestamp_seconds', 'transport')).toEqual(['raw']);
    await daemon.dispose();
  });
});

describe('contrib/', () => {
  const names = new Set(
    METRICS.flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
  const labels = new Set(METRICS.flatMap((metric) => metric.labels));

  it.each(['grafana/crossbar-ts.json', 'prometheus/alerts.yml'])('%s names only metrics that there are', (file) => {
    const text = readFileSync(join(root, 'contrib', file), 'utf8');
    const named = [...text.matchAll(/\b(?:wamp|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(10);
    expect([...new Set(named)].filter((name) => !names.has(name))).toEqual([]);
  });

  it('grafana/crossbar-ts.json has every metric of WAMP, and labels that there are', () => {
    const text = readFileSync(join(root, 'contrib/grafana/crossbar-ts.json'), 'utf8');
    const left = METRICS.filter(({ name }) => name.startsWith('wamp_') && !text.includes(name)).map(({ name }) => name);
    expect(left).toEqual(['wamp_config_last_reload_success_timestamp_seconds', 'wamp_connections_opened_total']);
    const grouped = [...text.matchAll(/by \(([a-z, ]+)\)/g)].flatMap(([, list = '']) => list.split(', '));
    expect(grouped.filter((label) => label !== 'le' && label !== 'instance' && !labels.has(label))).toEqual([]);
  });

  itNeeds('promtool (package prometheus)', HAS_PROMTOOL)(
    'prometheus/alerts.yml is right, and fires when it is to',
    () => {
      const cwd = join(root, 'contrib/prometheus');
      for (const args of [
        ['check', 'rules', 'alerts.yml'],
        ['test', 'rules', 'alerts.test.yml'],
      ]) {
        const { status, stdout, stderr } = spawnSync('promtool', args, { cwd });
        expect([status, status === 0 ? '' : `${stdout.toString()}${stderr.toString()}`]).toEqual([0, '']);
      }
    },
  );
});

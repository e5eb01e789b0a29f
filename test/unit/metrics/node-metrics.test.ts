import { describe, expect, it } from 'vitest';

import { METRICS } from '../../../src/metrics/catalogue.js';
import { sample } from '../../../src/metrics/metric.js';
import { REALM } from '../../../src/metrics/catalogue.js';
import { NodeMetrics } from '../../../src/metrics/node-metrics.js';
import { MAX_URIS, UriCounts } from '../../../src/metrics/uri-counts.js';
import { namedBy } from '../../../src/metrics/uri-patterns.js';
import { countRefusal } from '../../../src/metrics/transport-counts.js';
import { countWord } from '../../../src/metrics/words.js';
import { MetricsText } from '../../support/metrics-text.js';

const atOnce = (): Promise<void> => Promise.resolve();

/** With a clock of its own. */
function testMetrics(turn = atOnce) {
  const clock = { now: 0 };
  const metrics = new NodeMetrics(turn, () => clock.now);
  const read = async () => new MetricsText((await metrics.text('prometheus')).toString());
  return { clock, metrics, read };
}

describe('the catalogue', () => {
  it('has each name once, and counters that end as counters do', () => {
    const names = METRICS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, type, help } of METRICS) {
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(help).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe('a scrape', () => {
  it('is given to all who ask within a second, and made once', async () => {
    const { clock, metrics } = testMetrics();
    let looks = 0;
    metrics.add(() => {
      looks += 1;
      return [sample(REALM.inFlight, looks, 'realm1')];
    });
    const [first, second, other] = await Promise.all([
      metrics.text('prometheus'),
      metrics.text('prometheus'),
      metrics.text('openmetrics'),
    ]);
    clock.now = 999;
    expect(await metrics.text('prometheus')).toBe(first);
    expect([second, looks]).toEqual([first, 1]);
    expect(other.toString()).toContain('# EOF');
    clock.now = 1000;
    expect(await metrics.text('prometheus')).not.toBe(first);
    expect(looks).toBe(2);
  });

  it('waits until the one before is over', async () => {
    const waiting: (() => void)[] = [];
    const { clock, metrics } = testMetrics(() => new Promise<void>((resolve) => void waiting.push(resolve)));
    let looks = 0;
    metrics.add(() => {
      looks += 1;
      return ['breath'];
    });
    const first = metrics.text('prometheus');
    await expect.poll(() => waiting.length).toBe(1);
    clock.now = 5000;
    const second = metrics.text('prometheus');
    await atOnce();
    expect(looks).toBe(1);
    waiting[0]?.();
    await first;
    await expect.poll(() => waiting.length).toBe(2);
    expect(looks).toBe(2);
    waiting[1]?.();
    await second;
  });

  it('is tried again when it failed', async () => {
    const { metrics } = testMetrics();
    const end = metrics.add(() => {
      throw new Error('broken');
    });
    await expect(metrics.text('prometheus')).rejects.toThrow('broken');
    end();
    expect((await metrics.text('prometheus')).toString()).toContain('wamp_messages_received_total');
  });

  it('shows transports, realms and stores under their names, all words at zero', async () => {
    const { metrics, read } = testMetrics();
    metrics.realm('realm1');
    metrics.cookieStore('memory');
    countRefusal(metrics.transport('web'), 'null origin');
    countRefusal(metrics.transport('web'), 'a word of tomorrow');
    const text = await read();
    expect(text.words('wamp_calls_total', 'outcome')).toHaveLength(7);
    expect(text.value('wamp_handshakes_refused_total', { transport: 'web', reason: 'origin' })).toBe(1);
    expect(text.value('wamp_handshakes_refused_total', { transport: 'web', reason: 'other' })).toBe(1);
    expect(text.words('wamp_cookies_created_total', 'store')).toEqual(['memory']);
  });

  it('tells of the config where somebody says when it was loaded', async () => {
    const { clock, metrics, read } = testMetrics();
    expect((await read()).metrics.has('wamp_config_pending_restart')).toBe(false);
    Object.assign(metrics.config, { loadedMs: 1500, isLastAccepted: false, pending: 2 });
    clock.now = 2000;
    const text = await read();
    expect(text.value('wamp_config_last_reload_successful')).toBe(0);
    expect(text.value('wamp_config_last_reload_success_timestamp_seconds')).toBe(1.5);
    expect(text.value('wamp_config_pending_restart')).toBe(2);
  });
});

describe('what costs something', () => {
  it('is counted only while somebody wishes it, and goes on where it was', () => {
    const { metrics } = testMetrics();
    const counts = metrics.realm('realm1');
    expect([counts.durations, counts.uris, metrics.http.isTimed]).toEqual([undefined, undefined, false]);
    const end = metrics.wish({ callDurations: true, uris: [{ uri: 'com.', match: 'prefix' }] });
    const endOther = metrics.wish({ callDurations: false, uris: [] });
    const before = counts.durations;
    before?.observe(1);
    expect(metrics.realm('later').durations).toBeDefined();
    expect(metrics.realm('later').uris).toBeDefined();
    end();
    end();
    expect([counts.durations, counts.uris, metrics.http.isTimed]).toEqual([undefined, undefined, true]);
    metrics.wish({ callDurations: true, uris: [] });
    endOther();
    expect(counts.durations).toBe(before);
  });

  it('is the process, too', async () => {
    const { metrics, clock } = testMetrics();
    metrics.identify({ program: process, version: '1.2.3' });
    const read = async () => new MetricsText((await metrics.text('prometheus')).toString());
    expect((await read()).metrics.has('nodejs_heap_size_used_bytes')).toBe(false);
    const end = metrics.wish({ callDurations: false, uris: [] });
    clock.now = 2000;
    const text = await read();
    end();
    expect(text.value('wamp_build_info', { version: '1.2.3' })).toBe(1);
    expect(text.value('process_resident_memory_bytes')).toBeGreaterThan(1e6);
    expect(text.value('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(text.value('process_open_fds')).toBeGreaterThan(2);
    expect(text.value('process_max_fds')).toBeGreaterThan(2);
    expect(text.words('nodejs_gc_duration_seconds_count', 'kind')).toEqual(['major', 'minor', 'incremental', 'weakcb']);
  });
});

describe('counts by URI', () => {
  it('are of what the config names, 200 of each kind, and `other`', () => {
    const counts = new UriCounts(namedBy([{ uri: 'com.', match: 'prefix' }]));
    for (let i = 0; i < MAX_URIS + 50; i++) {
      counts.published(`com.topic${i}`);
      counts.called(`com.procedure${i}`)?.observe(1);
    }
    counts.published('com.topic0');
    counts.published('com.topic249');
    counts.published('org.topic');
    expect(counts.called('org.procedure')).toBeUndefined();
    expect(counts.topics.size).toBe(MAX_URIS + 1);
    expect([counts.topics.get('com.topic0'), counts.topics.get('other'), counts.topics.get('org.topic')]).toEqual([
      ...[2, 51, undefined],
    ]);
    expect(counts.procedures.get('other')).toMatchObject({ calls: 50, durations: { sum: 50 } });
  });

  it.each([
    ['exact', 'com.a', ['com.a'], ['com', 'com.a.b', 'com.b']],
    ['prefix', 'com.a', ['com.a', 'com.a.b', 'com.ab'], ['com', 'com.b']],
    ['wildcard', 'com..b', ['com.a.b', 'com.x.b'], ['com.b', 'com..b', 'com.a.b.c', 'com.a.c']],
  ] as const)('knows what %s means', (match, uri, named, others) => {
    const isNamed = namedBy([{ uri, match }]);
    expect(named.filter((each) => !isNamed(each))).toEqual([]);
    expect(others.filter((each) => isNamed(each))).toEqual([]);
  });

  it('of words that are not known beforehand are bounded', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 1000; i++) countWord(counts, `word${i}`);
    expect(counts.size).toBe(65);
    expect(counts.get('other')).toBe(936);
  });
});

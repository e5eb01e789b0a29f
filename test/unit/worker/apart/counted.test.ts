/** What processes have counted, on its way to the metrics of their node. */
import { describe, expect, it } from 'vitest';
import { METRICS, NODE, PROCESS, REALM } from '../../../../src/metrics/catalogue.js';
import { copied, Histogram } from '../../../../src/metrics/histogram.js';
import { NodeMetrics } from '../../../../src/metrics/node-metrics.js';
import { sample } from '../../../../src/metrics/metric.js';
import type { Sample } from '../../../../src/metrics/metric.js';
import { CountedElsewhere, written } from '../../../../src/worker/apart/counted.js';
import type { WrittenSample } from '../../../../src/worker/apart/counted.js';

/** As a line brings them. */
function sent(samples: readonly Sample[]): WrittenSample[] {
  return JSON.parse(JSON.stringify(written(samples))) as WrittenSample[];
}

function durations(...values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.observe(value);
  return histogram;
}

describe('the counts of a process', () => {
  it('come as they were, without those of the process itself', () => {
    const own = [...Object.values(NODE), ...Object.values(PROCESS)];
    const counted = new CountedElsewhere();
    counted.take(sent([...own.map((metric) => sample(metric, 1)), sample(REALM.calls, 3, 'realm1', 'result')]));
    expect([...counted.all()]).toEqual([sample(REALM.calls, 3, 'realm1', 'result')]);
  });

  it('do not fall when it ends, but what there was of anything is gone', () => {
    const counted = new CountedElsewhere();
    const life = (calls: number, seconds: number): void => {
      counted.take(
        sent([
          sample(REALM.calls, calls, 'realm1', 'result'),
          sample(REALM.inFlight, 7, 'realm1'),
          sample(REALM.durations, durations(seconds), 'realm1'),
        ]),
      );
    };
    life(3, 0.5);
    counted.ended();
    life(4, 2);
    counted.ended();
    counted.take(sent([sample(REALM.calls, 5, 'realm1', 'result')]));
    const all = [...counted.all()];
    expect(all.filter(({ metric }) => metric === REALM.inFlight)).toEqual([]);
    const calls = all.filter(({ metric }) => metric === REALM.calls).map(({ value }) => value as number);
    expect(calls.reduce((sum, value) => sum + value, 0)).toBe(12);
    const [histogram] = all.filter(({ metric }) => metric === REALM.durations);
    expect(histogram?.value).toEqual(copied(durations(0.5, 2)));
  });

  it('are added up with those of the node; ends of certificates are not', async () => {
    const metrics = new NodeMetrics();
    const [cookies, certificate] = ['wamp_cookies', 'wamp_tls_certificate_expiry_timestamp_seconds'].map((name) =>
      METRICS.find((metric) => metric.name === name),
    );
    if (cookies === undefined || certificate === undefined) throw new Error('the metrics have other names');
    for (const [calls, ends, kept] of [
      [3, 2_000, 10],
      [4, 1_000, 12],
    ] as const) {
      metrics.add(() => [
        sample(REALM.calls, calls, 'realm1', 'result'),
        sample(certificate, ends, 'web'),
        sample(cookies, kept, 'database c'),
      ]);
    }
    const text = (await metrics.text('prometheus')).toString();
    expect(text).toContain('wamp_calls_total{realm="realm1",outcome="result"} 7\n');
    expect(text).toContain('wamp_tls_certificate_expiry_timestamp_seconds{transport="web"} 1000\n');
    expect(text).toContain('wamp_cookies{store="database c"} 12\n');
  });

  it('are as many as is wished by the node', () => {
    const [node, there] = [new NodeMetrics(), new NodeMetrics()];
    node.followWishes(() => there.wishElsewhere(node.wished));
    const counts = there.realm('realm1');
    expect(counts.uris).toBeUndefined();
    const end = node.wish({ callDurations: true, uris: [{ uri: 'com.example', match: 'exact' }] });
    expect([counts.durations, counts.uris].map((each) => each !== undefined)).toEqual([true, true]);
    end();
    expect([node.wished, counts.uris]).toEqual([undefined, undefined]);
    there.wishElsewhere(undefined);
  });
});

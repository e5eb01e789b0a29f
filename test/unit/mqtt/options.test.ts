import { describe, expect, it } from 'vitest';
import { limitsOf, mqttOptionsSchema } from '../../../src/mqtt/schema.js';
import type { MqttOptions } from '../../../src/mqtt/schema.js';
import { MAX_CLIENT_ID } from '../../../src/mqtt/hello.js';
import type { ConfigSchema } from '../../../src/schema/dialect.js';

/** What stands in a config with nothing but a realm. */
function defaults(): MqttOptions {
  const entries = Object.entries(mqttOptionsSchema.properties as Readonly<Record<string, ConfigSchema>>);
  const given = entries
    .filter(([, schema]) => schema.default !== undefined)
    .map(([key, schema]) => [key, schema.default]);
  return { ...Object.fromEntries(given), realm: 'realm1' } as MqttOptions;
}

describe('the options of MQTT', () => {
  it('bound what is kept of each client and of all that are away', () => {
    expect(limitsOf(defaults())).toEqual({
      ...{ maxQos: 2, maxInflight: 100, maxInflightBytes: 8_388_608, maxQueued: 1000, maxQueuedBytes: 1_048_576 },
      ...{ maxSubscriptions: 1000, sessionExpiryMs: 3_600_000, maxKept: 10_000, maxKeptBytes: 67_108_864 },
    });
    expect(MAX_CLIENT_ID).toBeLessThan(mqttOptionsSchema.properties.max_packet_size.default);
  });

  it('are times that a timer takes', () => {
    expect(mqttOptionsSchema.properties.session_expiry.maximum * 1000).toBeLessThan(2 ** 31);
  });
});

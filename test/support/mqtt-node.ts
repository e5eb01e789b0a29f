/** The daemon with clients of MQTT and of WAMP in one realm. */
import { startDaemon } from './daemon.js';
import type { Daemon } from './daemon.js';
import { nodeConfig, LOOPBACK } from './node-config.js';
import type { NodeConfigParts } from './node-config.js';
import { JsClient } from './mqtt-clients.js';
import type { MqttClientOptions } from './mqtt-clients.js';
import { WampClient } from './wamp-client.js';
import type { JoinedClient, WampClientOptions } from './wamp-client.js';

const ANYBODY = { anonymous: { type: 'static', role: 'anonymous' } };

export interface MqttNodeParts extends NodeConfigParts {
  /** The options of each transport for MQTT, besides `realm`; `auth` lets everybody in if it is not here. Without it there is one. */
  readonly mqtt?: readonly object[];
  /** Of these transports. */
  readonly endpoint?: object;
  /** As for the daemon. */
  readonly probed?: boolean;
}

/** A node with a web transport and behind it those for MQTT. */
export class MqttNode {
  readonly daemon: Daemon;
  readonly #wamp: WampClient[] = [];

  private constructor(daemon: Daemon) {
    this.daemon = daemon;
  }

  static async start({
    mqtt = [{}],
    endpoint = LOOPBACK,
    probed = false,
    ...parts
  }: MqttNodeParts = {}): Promise<MqttNode> {
    const transports = mqtt.map((options) => ({
      ...{ type: 'mqtt', endpoint, options: { realm: 'realm1', auth: ANYBODY, ...options } },
    }));
    return new MqttNode(await startDaemon({ probed, config: nodeConfig({ ...parts, transports }) }));
  }

  /** @param index which of the transports for MQTT */
  port(index = 0): number {
    return Number(this.daemon.listening()[index + 1]?.['port']);
  }

  mqtt(options: Partial<MqttClientOptions> = {}): Promise<JsClient> {
    return JsClient.connect({ port: this.port(), ...options });
  }

  async wamp(serializer: WampClientOptions['serializer'] = 'json', realm = 'realm1'): Promise<JoinedClient> {
    const client = await WampClient.join(this.daemon.url('/ws', 'ws'), realm, { serializer });
    this.#wamp.push(client);
    return client;
  }

  /** Ends the clients of WAMP. */
  async endWamp(): Promise<void> {
    await Promise.all(this.#wamp.splice(0).map((client) => client.drop()));
  }

  /**
   * Waits for the line about what was dropped: there is one a minute for each transport, so it is that of the first drop.
   * @param index which of the transports for MQTT
   * @returns topic (its URI) and reason.
   */
  async dropped(what: 'message of a client of MQTT' | 'event for clients of MQTT', index: number): Promise<unknown[]> {
    const id = this.daemon.listening()[index + 1]?.['transport'];
    const line = await this.daemon.waitForLog(({ msg, transport }) => msg === `${what} dropped` && transport === id);
    return [line['topic'], line['reason']];
  }
}

/** Subscribes, and waits for SUBSCRIBED. @returns the id of the subscription. */
export async function subscribed(client: WampClient, topic: string, options: object = {}): Promise<number> {
  const answer = await client.ask([32, 1, options, topic]);
  if (answer[0] !== 33) throw new Error(`expected SUBSCRIBED, got ${JSON.stringify(answer)}`);
  return answer[2] as number;
}

/** Publishes, and waits for PUBLISHED. */
export async function published(
  client: WampClient,
  topic: string,
  args: readonly unknown[] = [],
  options: object = {},
): Promise<void> {
  const answer = await client.ask([16, 1, { acknowledge: true, ...options }, topic, args]);
  if (answer[0] !== 17) throw new Error(`expected PUBLISHED, got ${JSON.stringify(answer)}`);
}

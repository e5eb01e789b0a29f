/** What clients of MQTT do to a server, so often: events to 100 subscribers, messages that are acknowledged, connections. */
import { Payloads, Sequence } from '../load/sequence.js';
import { MqttClient, text } from './client.js';

const TOPIC = 'bench/topic/one';
const SUBSCRIBERS = 100;

/**
 * @typedef {import('../load/sequence.js').Violations} Violations
 *
 * @callback Load
 * @param {number} count how many units
 * @returns {Promise<void>}
 *
 * @typedef {object} Running
 * @property {Load} load
 * @property {() => Promise<void>} leave
 *
 * @callback Begin
 * @param {number} port
 * @param {Violations} violations
 * @returns {Promise<Running>}
 */

/**
 * One publisher, 100 subscribers. A publication is under way until all of them have it.
 *
 * @param {{ qos: number, bytes: number, underWay: number }} options
 * @returns {Begin}
 */
export function events({ qos, bytes, underWay }) {
  return async (port, violations) => {
    const payloads = new Payloads(bytes);
    const publisher = await MqttClient.connect(port, { id: 'publisher' });
    const clients = await Promise.all(
      Array.from({ length: SUBSCRIBERS }, (_, index) => MqttClient.connect(port, { id: `subscriber${index}` })),
    );
    for (const client of clients) await client.subscribe(TOPIC, qos);
    const topic = text(TOPIC);
    let sent = 0;
    let last = 0;
    let done = () => undefined;
    // number of a publication that is under way -> how many have it
    const reached = new Map(/** @type {[number, number][]} */ ([]));
    const publish = () => {
      reached.set(sent, 0);
      publisher.publish(topic, payloads.build(sent), qos);
      sent += 1;
    };
    const arrived = (/** @type {number} */ number) => {
      const count = (reached.get(number) ?? 0) + 1;
      if (count < SUBSCRIBERS) return reached.set(number, count);
      reached.delete(number);
      if (sent < last) publish();
      else if (reached.size === 0) done();
    };
    clients.forEach((client, index) => {
      const sequence = new Sequence(`subscriber ${index}`, violations);
      client.onPublish = (all, start, end) => {
        const number = end - start === bytes ? Number(all.toString('latin1', start, start + payloads.digits)) : NaN;
        if (sequence.accept(number, sent)) arrived(number);
      };
    });
    return {
      load: (count) =>
        new Promise((resolve, reject) => {
          for (const client of [publisher, ...clients]) client.onEnd = reject;
          done = () => void resolve();
          last = sent + Math.ceil(count / SUBSCRIBERS);
          while (sent < last && reached.size < underWay) publish();
        }),
      leave: async () => void (await Promise.all([publisher, ...clients].map((client) => client.leave()))),
    };
  };
}

/**
 * One client publishes with QoS 1, and nobody is subscribed: what a PUBLISH and its PUBACK cost.
 *
 * @param {{ underWay: number }} options
 * @returns {Begin}
 */
export function roundTrips({ underWay }) {
  return async (port, violations) => {
    const client = await MqttClient.connect(port, { id: 'publisher' });
    const topic = text(TOPIC);
    const payload = new Payloads(20).build(0);
    return {
      load: (count) =>
        new Promise((resolve, reject) => {
          let sent = 0;
          let answered = 0;
          const publish = () => {
            sent += 1;
            client.publish(topic, payload, 1);
          };
          client.onEnd = reject;
          client.onAcknowledged = () => {
            answered += 1;
            if (answered > sent) violations.add('acknowledged', 'a message that was not sent');
            if (sent < count) publish();
            else if (answered === count) resolve();
          };
          while (sent < Math.min(count, underWay)) publish();
        }),
      leave: () => client.leave(),
    };
  };
}

/**
 * Clients come and go: TCP, CONNECT, CONNACK, DISCONNECT.
 *
 * @param {{ atOnce: number }} options
 * @returns {Begin}
 */
export function connections({ atOnce }) {
  return async (port) => {
    const load = async (/** @type {number} */ count) => {
      let left = count;
      const comeAndGo = async (/** @type {number} */ worker) => {
        while (left-- > 0) await (await MqttClient.connect(port, { id: `client${worker}` })).leave();
      };
      await Promise.all(Array.from({ length: atOnce }, (_, worker) => comeAndGo(worker)));
    };
    return { load, leave: () => Promise.resolve() };
  };
}

/** What the clients of one transport share, made of its options. */
import { sayRepeated } from '../log/repeated.js';
import { InternalCaller } from '../session/internal-caller.js';
import { CallFault, ErrorUri } from '../wamp/error.js';
import { quoted } from '../wamp/uri.js';
import { EventFrames } from './event-frames.js';
import { payloadMappings } from './payload/mappings.js';
import { queuedMemory } from './queued-memory.js';
import { limitsOf } from './schema.js';
import { TOPIC_MAPPINGS } from './topics.js';
import type { SessionDeps } from '../session/deps.js';
import type { MqttCounts } from '../metrics/mqtt-counts.js';
import type { MqttDeps } from './deps.js';
import type { PacketCodec } from './packets/packet-codec.js';
import type { CallProcedure } from './payload/dynamic.js';
import type { PayloadError } from './payload/mapping.js';
import type { MqttOptions } from './schema.js';

/** What is there before the options. */
export interface MqttParts {
  readonly sessions: SessionDeps;
  readonly codec: PacketCodec;
  readonly counts: MqttCounts;
}

/** @returns what the clients are made with. */
export function mqttDeps(options: MqttOptions, { sessions, codec, counts }: MqttParts): MqttDeps {
  const { realm } = options;
  const topics = TOPIC_MAPPINGS[options.topic_mapping];
  const callIn = (name = realm): CallProcedure => callsIn(name, sessions.router);
  const mappingOf = payloadMappings(options.payload_mapping, { callIn, uriOf: (topic) => topics.uriOf(topic) });
  const dropped = (uri: string, error: PayloadError | undefined): void => {
    counts.unfitEvents += 1;
    const facts = { topic: uri, reason: error?.message ?? 'it has no topic, or no payload mapping' };
    sayRepeated(sessions, 'info', facts, 'event for clients of MQTT dropped');
  };
  return {
    ...{ sessions, realm, topics, mappingOf, counts },
    encode: (packet) => codec.encode(packet),
    frames: new EventFrames({ topics, mappingOf, dropped }),
    limits: limitsOf(options),
    queued: queuedMemory,
    after: (ms, callback) => sessions.router.scheduler.after(ms, callback),
  };
}

/** Calls the procedures of payload mappings. A realm may go, and come again as another object. */
function callsIn(name: string, router: SessionDeps['router']): CallProcedure {
  let caller: { readonly of: object; readonly calls: InternalCaller } | undefined;
  return async (procedure, args) => {
    const realm = router.realm(name);
    if (realm === undefined) {
      throw new CallFault(`no realm ${quoted(name)} exists on this router`, { uri: ErrorUri.NO_SUCH_REALM });
    }
    if (caller?.of !== realm) {
      const id = router.newSessionId();
      const { scheduler } = router;
      caller = { of: realm, calls: new InternalCaller({ id, authid: 'router', realm, scheduler }) };
    }
    return caller.calls.call(procedure, args);
  };
}

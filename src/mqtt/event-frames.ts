/**
 * Events of WAMP as PUBLISH frames. An event goes to many clients: its payload is translated once, and there is one frame for each QoS.
 * Both are kept with the event, in its place among the frames of the serializers.
 */
import { LARGE_PAYLOAD_BYTES, movable } from '../serializer/large-frame.js';
import { takeFramePlace } from '../transport/codecs.js';
import { PayloadError } from './payload/mapping.js';
import { PublishFrame } from './packets/publish-frame.js';
import type { Event, Qos } from '../wamp/message.js';
import type { MappingOf } from './payload/mappings.js';
import type { TopicMapping } from './topics.js';

/** One event as one transport shows it to its clients. */
export interface ShownEvent {
  readonly topic: string;
  /** Undefined: MQTT has no place for it. */
  readonly payload: Buffer | Promise<Buffer> | undefined;
  /** How large the event is, about. */
  readonly bytes: number;
  /** By QoS. */
  readonly frames: (PublishFrame | undefined)[];
}

/** What one transport made of an event, and then the others. */
interface Made {
  readonly by: EventFrames;
  readonly shown: ShownEvent | undefined;
  readonly next: Made | undefined;
}

const PLACE = takeFramePlace();

export interface EventFramesDeps {
  readonly topics: TopicMapping;
  readonly mappingOf: MappingOf;
  /** Called once for each event that no client can get. Never throws. */
  readonly dropped: (uri: string, error: PayloadError | undefined) => void;
}

/** Of one transport. */
export class EventFrames {
  readonly #deps: EventFramesDeps;

  constructor(deps: EventFramesDeps) {
    this.#deps = deps;
  }

  /** @param uri of its topic. @returns undefined for an event that no client can get. */
  show(event: Event, uri: string): ShownEvent | undefined {
    // What lies there is from this file.
    const first = event.frames[PLACE] as Made | undefined;
    for (let made = first; made !== undefined; made = made.next) if (made.by === this) return made.shown;
    const shown = this.#make(event, uri);
    event.frames[PLACE] = { by: this, shown, next: first } satisfies Made;
    return shown;
  }

  #make(event: Event, uri: string): ShownEvent | undefined {
    const topic = this.#deps.topics.topicOf(uri);
    const mapping = topic === undefined ? undefined : this.#deps.mappingOf(uri);
    if (topic === undefined || mapping === undefined) return this.#drop(uri);
    try {
      const { payload } = event;
      return { topic, payload: mapping.encode({ topic, payload }), bytes: payload.byteLength ?? 0, frames: [] };
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      return this.#drop(uri, error);
    }
  }

  #drop(uri: string, error?: PayloadError): undefined {
    this.#deps.dropped(uri, error);
    return undefined;
  }
}

/**
 * @param payload that of the event, when it is there
 * @returns the frame for all who get the event with this QoS.
 */
export function frameOf({ topic, frames }: ShownEvent, payload: Buffer, qos: Qos, retain: boolean): PublishFrame {
  const known = frames[qos];
  if (known !== undefined) return known;
  // As for `PublishFrame`: what is not copied must not hold on to what else a socket has read.
  const frame = new PublishFrame(
    topic,
    qos === 0 || payload.length < LARGE_PAYLOAD_BYTES ? payload : movable(payload),
    { qos, retain },
  );
  frames[qos] = frame;
  return frame;
}

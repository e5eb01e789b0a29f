/** Options of WebSockets that Crossbar.io takes in a wider range. */
import type { Adapt } from '../../schema/rules.js';

/** What holds where the config says nothing of `max_message_size`. */
export const DEFAULT_MAX_MESSAGE_SIZE = 16_777_216;

/** `auto_ping_size`: older versions of Crossbar.io had 4 by default. */
export const atLeastTwelve: Adapt = (size) => {
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size >= 12) return undefined;
  return { value: 12, note: `found ${size}, taken as 12: a ping carries a number of that length` };
};

/** A window of deflate. */
export const nineInsteadOfEight: Adapt = (bits) => {
  if (bits !== 8) return undefined;
  return { value: 9, note: 'found 8, taken as 9: zlib has no smaller window' };
};

/** `max_frame_size`: no frame is larger than a message. */
export const noteLargeFrames: Adapt = (size, options) => {
  const limit = options.get('max_message_size').number() ?? DEFAULT_MAX_MESSAGE_SIZE;
  if (typeof size !== 'number' || !Number.isInteger(size) || size < limit) return undefined;
  return {
    value: undefined,
    note: `found ${size}, which has no effect: no message, and so no frame, is larger than "max_message_size", ${limit}`,
  };
};

/** What `ws` is told about the connections of one place, whatever is spoken on them. */
import type { ServerOptions } from 'ws';
import type { DeflateConfig, WebSocketOptions } from './schema.js';

/** Options of `ws` that its types do not know yet. */
interface LaterOptions {
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
  readonly closeTimeout: number;
}

/**
 * In how many pieces a message may come: each may keep the 64 KiB alive that it was read with, pings behind it, so that a
 * message of some bytes that never ends could hold a gigabyte. Clients that send in pieces at all send many KiB in each.
 */
const PART_BYTES = 16_384;
const MIN_PARTS = 1024;
/** And what comes on the wire at once may be as little as 1 KiB, on the average. */
const CHUNKS_PER_PART = 16;

/** What of the options `ws` is told. */
type Told = Pick<WebSocketOptions, 'max_message_size' | 'validate_utf8' | 'close_handshake_timeout' | 'compression'>;

/** @param options of the config. @returns those of a `WebSocketServer` that gets its upgrades from elsewhere. */
export function serverOptionsOf(options: Told): ServerOptions & LaterOptions {
  const parts = Math.max(MIN_PARTS, Math.ceil(options.max_message_size / PART_BYTES));
  return {
    noServer: true,
    clientTracking: false,
    // A pong has to wait for its turn, and must not wait for those who do not read.
    autoPong: false,
    maxPayload: options.max_message_size,
    maxFragments: parts,
    maxBufferedChunks: parts * CHUNKS_PER_PART,
    skipUTF8Validation: !options.validate_utf8,
    closeTimeout: options.close_handshake_timeout,
    perMessageDeflate: deflateOptions(options.compression?.deflate),
  };
}

function deflateOptions(deflate: DeflateConfig | undefined): object | false {
  if (deflate === undefined) return false;
  const { request_no_context_takeover, request_max_window_bits, no_context_takeover, max_window_bits, memory_level } =
    deflate;
  return {
    clientNoContextTakeover: request_no_context_takeover,
    serverNoContextTakeover: no_context_takeover,
    ...(request_max_window_bits === 0 ? {} : { clientMaxWindowBits: request_max_window_bits }),
    ...(max_window_bits === undefined ? {} : { serverMaxWindowBits: max_window_bits }),
    zlibDeflateOptions: { memLevel: memory_level },
  };
}

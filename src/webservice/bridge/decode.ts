/** Reads the body of a request; a large one in the thread for large messages, because nobody else may have to wait for it. */
import type { Decoder } from '../../serializer/serializer.js';
import { decodeLater, decodingThread } from '../../transport/decoding-thread.js';
import type { ClientMessage } from '../../wamp/message.js';

/**
 * @param bytes stay with the caller.
 * @returns undefined when there were so many large messages that this one was given up.
 * @throws ProtocolViolation (rejects) for a body that is no such message.
 */
export function decodeBody(decoder: Decoder, bytes: Buffer): Promise<ClientMessage | undefined> {
  return decodeOwn(decoder, bytes, () => {
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(copy);
    return copy;
  });
}

/** The same. @param handOver gives the bytes away, if they change hands; default: as they are. */
export async function decodeOwn(
  decoder: Decoder,
  bytes: Buffer,
  handOver = (): Buffer => bytes,
): Promise<ClientMessage | undefined> {
  if (!decodingThread.isFor(decoder, bytes)) return decoder.decode(bytes);
  return new Promise((resolve, reject) => {
    decodeLater(
      { giveUpReceiving: () => resolve(undefined) },
      { serializer: decoder, bytes: handOver() },
      (decoded) => {
        try {
          resolve(decoded());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      },
    );
  });
}

/** What takes messages of one connection apart where that is more than a step: a batch, and a large message, which has a thread. */
import { decodeLater, decodingThread } from '../decoding-thread.js';
import type { Serializer } from '../../serializer/serializer.js';
import type { ClientMessage } from '../../wamp/message.js';
import type { Inbox } from '../inbox.js';
import type { Receiving } from '../received-memory.js';

/** Whose messages they are. */
export interface Decoding extends Receiving {
  readonly serializer: Serializer;
  readonly inbox: Inbox;
  /** Takes the next message. @throws what {@link failed} is for */
  received(message: ClientMessage): void;
  /** A message is wrong, or could not be worked off. */
  failed(error: unknown): void;
}

/** A message that closes the connection ends the work on the batch; behind a GOODBYE another HELLO may come. */
export function receiveBatch(decoding: Decoding, batch: Iterator<Buffer>): void {
  const { serializer, inbox } = decoding;
  try {
    for (let next = batch.next(); next.done !== true; next = batch.next()) {
      const { value } = next;
      if (decodingThread.isFor(serializer, value)) {
        return receiveLater(decoding, value, () => receiveBatch(decoding, batch));
      }
      decoding.received(serializer.decode(value));
      if (!inbox.mayGoOn(value.length)) return inbox.goOn(() => receiveBatch(decoding, batch));
    }
  } catch (error) {
    decoding.failed(error);
  }
}

/** Others have their turn while a large message is taken apart; what comes behind it on this connection waits. */
export function receiveLater(decoding: Decoding, bytes: Buffer, rest?: () => void): void {
  const resume = decoding.inbox.suspend();
  decodeLater(decoding, { serializer: decoding.serializer, bytes }, (decoded) =>
    resume(() => {
      try {
        decoding.received(decoded());
        rest?.();
      } catch (error) {
        decoding.failed(error);
      }
    }),
  );
}

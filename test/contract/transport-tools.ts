/** What the contract suites of transports share. */
import { expect, vi } from 'vitest';
import type {
  ContractClient,
  SocketActs,
  TransportSubject,
  TransportWorld,
  WorldOptions,
} from '../support/transport-world.js';
import { ALL_ROLES, ConnectionClosed } from '../support/wamp-client.js';

export const HELLO = [1, 'realm1', { roles: ALL_ROLES }];
export const GOODBYE = [6, {}, 'wamp.close.normal'];
export const ID = expect.any(Number) as number;
export const TOPIC = 'com.example.topic';
export const PROCEDURE = 'com.example.procedure';
export interface Tools {
  readonly subject: TransportSubject;
  /** Opens the transport of a test. */
  readonly opened: (options?: WorldOptions) => Promise<TransportWorld>;
}

export interface SocketTools extends Tools {
  readonly acts: (client: ContractClient) => SocketActs;
}

/** A connection with a session. */
export async function join(
  world: TransportWorld,
  options = {},
): Promise<ContractClient & { readonly sessionId: number }> {
  const client = await world.connect(options);
  return Object.assign(client, await client.hello());
}

export const several = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** How many sessions and what they own is left. */
export const sizeOf = ({ router }: TransportWorld) => router.size['realm1'];

/** Resolves when `isSo`: every turn of the loop takes in what the sockets have. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** From now on time stands still, but for {@link vi.advanceTimersByTime}. */
export function stopClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
}

/** What comes until the connection is closed. */
export async function rest(client: ContractClient): Promise<unknown[][]> {
  const messages: unknown[][] = [];
  for (;;) {
    try {
      messages.push(await client.next());
    } catch (error) {
      if (error instanceof ConnectionClosed) return messages;
      throw error;
    }
  }
}

export const linesOf = ({ logs }: TransportWorld, msg: string) => logs.filter((line) => line.msg === msg);

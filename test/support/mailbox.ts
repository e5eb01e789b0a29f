/** Collects what a handler is called with, and gives it out one by one. */
import { within } from './wamp-client.js';

export interface Mailbox<T> {
  readonly put: (value: T) => void;
  /** The oldest value that was not taken yet; waits for one. */
  readonly take: () => Promise<T>;
}

export function mailbox<T>(): Mailbox<T> {
  const waiting: ((value: T) => void)[] = [];
  const values: T[] = [];
  return {
    put: (value) => {
      const next = waiting.shift();
      if (next === undefined) values.push(value);
      else next(value);
    },
    take: () =>
      within(
        new Promise<T>((resolve) => (values.length > 0 ? resolve(values.shift()!) : waiting.push(resolve))),
        'event',
      ),
  };
}

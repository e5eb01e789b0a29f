/**
 * The end of a node in good order: its sessions have gone, and before it goes itself the others know that. Until then it says of a call
 * that comes that its callee has left, so that the call goes on to another one; and what it has sent has come to the others, because
 * they answer a question that it asks behind that. A node that went at once would lose what is on its way in either direction.
 */
import type { Scheduler } from '../router/observer.js';
import type { Barrier } from './barrier.js';
import type { RegistrationDirectory } from './directory/registrations.js';

/** What says farewell. */
export interface FarewellDeps {
  readonly directory: Pick<RegistrationDirectory, 'leave' | 'reached' | 'released'>;
  readonly barrier: Pick<Barrier, 'pass'>;
  readonly scheduler: Pick<Scheduler, 'after'>;
}

/** The others find out by themselves what they cannot be told in this time. */
const FAREWELL_MS = 2000;

/** Resolves when all others that are there know that nothing of this node is left, or could not be told. Rejects with EngineError. */
export async function sayFarewell({ directory, barrier, scheduler }: FarewellDeps): Promise<void> {
  let stop: () => void = () => undefined;
  const late = new Promise<void>((resolve) => (stop = scheduler.after(FAREWELL_MS, resolve)));
  const told = async (): Promise<void> => {
    await directory.leave();
    const revision = await directory.released();
    await new Promise<void>((resolve) => directory.reached(revision, resolve));
    await new Promise<void>((resolve) => barrier.pass(() => resolve()));
  };
  try {
    await Promise.race([told(), late]);
  } finally {
    stop();
  }
}

/** What a worker does for services that are applications of Python: it runs them. Types only. */

/** An application that is to run. */
export interface ApplicationOrder {
  /** What the host is told of it; beside this, where it listens. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** What messages and the log say of it. */
  readonly facts: Readonly<Record<string, string>>;
}

/** Runs applications, in one process with the components of Python of the worker. They end with the worker. */
export interface ApplicationHost {
  /**
   * Loads an application, and waits until it listens.
   *
   * @returns its socket file, absolute. Nobody listens there when the process has ended, or when the node may go on without it.
   * @throws Error with one line for the operator; the reason for which the start of the worker is given up (rejects).
   */
  start(application: ApplicationOrder): Promise<string>;
}

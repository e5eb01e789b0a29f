/** Where the lines of an audit log go. */
export interface AuditPlace {
  /** For the log. */
  readonly name: string;
  /**
   * Takes as much of a line as there is room for, at least a byte.
   * @returns how many bytes were taken.
   * @throws the reason why there is no room now: it is tried again.
   */
  write(line: Buffer): number;
  /** Gets what was written to where it stays. @param done called with what went wrong. */
  sync(done: (error: Error | null) => void): void;
  /**
   * Goes on in a new file of the same name, where there is one.
   * @returns whether it is another one than before. @throws the error of the system: it goes on in the old one.
   */
  reopen(): boolean;
  /** Resolves when all is where it stays, or cannot get there. Rejects with what went wrong. */
  close(): Promise<void>;
}

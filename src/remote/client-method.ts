/** What a way to prove who one is has to offer. Each has a file, and a line in `proofs.ts`. */
import type { Dict } from '../wamp/payload.js';

/** A method on its way through one login. */
export interface ClientMethod {
  readonly authid?: string;
  readonly authextra?: Dict;
  /** @returns the signature. @param extra of CHALLENGE */
  answer?(extra: Dict): Promise<string> | string;
  /** Checks the proof of the router. @throws Error @param authextra of WELCOME */
  check?(authextra: Dict): void;
}

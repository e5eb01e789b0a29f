/** In which forms payloads may be due: those of all connections that there are now. */
import type { PayloadForm, WirePayload } from './wire-payload.js';

type Form = PayloadForm<WirePayload> | undefined;

export class SpokenForms {
  /** form -> how many connections speak it */
  readonly #counts = new Map<PayloadForm<WirePayload>, number>();

  /** A connection speaks it from now on. */
  add(form: Form): void {
    if (form !== undefined) this.#counts.set(form, (this.#counts.get(form) ?? 0) + 1);
  }

  /** A connection that spoke it has ended. */
  remove(form: Form): void {
    if (form === undefined) return;
    const left = (this.#counts.get(form) ?? 0) - 1;
    if (left > 0) this.#counts.set(form, left);
    else this.#counts.delete(form);
  }

  /** @returns the config words of the others that are spoken. */
  besides(form: Form): readonly string[] {
    return [...this.#counts.keys()].filter((other) => other !== form).map(({ type }) => type);
  }
}

/** One for the process: a message may go from any transport to any other. */
export const spokenForms = new SpokenForms();

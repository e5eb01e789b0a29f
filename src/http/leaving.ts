/**
 * Services whose paths are gone, and that still have clients who come with requests: such a client gets an answer that is due, and hears
 * of the end. Nobody else finds them. It knows no services.
 */
import type { WebRequest, WebService } from './service.js';

/** A request, and who answers it. */
export interface LeavingRequest {
  readonly service: WebService;
  readonly request: WebRequest;
}

export class LeavingServices {
  /** service -> where it was */
  readonly #mounts = new Map<WebService, string>();

  /** @param mount where it was: `/` or `/a/b`. */
  add(service: WebService, mount: string): void {
    if (service.knows !== undefined) this.#mounts.set(service, mount);
  }

  delete(service: WebService): void {
    this.#mounts.delete(service);
  }

  /** @returns undefined where the request is of no client of theirs: nearly always. */
  find(request: WebRequest): LeavingRequest | undefined {
    for (const [service, mount] of this.#mounts) {
      const below = mount === '/' ? '' : mount;
      if (!request.rest.startsWith(`${below}/`)) continue;
      const rest = request.rest.slice(below.length);
      if (service.knows?.(rest) === true) return { service, request: { ...request, mount, rest } };
    }
    return undefined;
  }
}

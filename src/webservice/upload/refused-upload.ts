/**
 * Why an upload is refused. resumable.js decides by the status what it does next: at 400 and 415 it gives the file up, at 503 it sends
 * the piece again, a hundred times. So what will never be right is 400, whatever else HTTP has a word for.
 */
import type { Refusal } from '../../transport/refusal.js';

/** A request that gets a refusal for an answer. */
export class RefusedUpload extends Error {
  override readonly name = 'RefusedUpload';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.text);
    this.refusal = refusal;
  }
}

/** @param facts what the client said that was the reason. */
export function badField(text: string, facts?: Readonly<Record<string, string>>): RefusedUpload {
  return new RefusedUpload({ status: 400, text, kind: 'field of an upload', ...(facts && { facts }) });
}

/** In seconds: by then something else may be finished. */
export const RETRY_LATER = { 'Retry-After': '5' };

/**
 * Fetches a file from its origin. It comes under another name, is checked, and only then takes the place of the file. A stop, an
 * error or a slow origin leaves nothing behind. Redirects are followed by hand, because none may lead from https to http.
 */
import { open, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { errorCode, messageOf } from '../../system/error.js';
import { systemFiles } from '../../system/files.js';
import { drawBytes } from '../../system/random.js';
import { ArchiveError } from './error.js';

export interface Download {
  readonly url: string;
  /** What it becomes, in a directory that is there. */
  readonly file: string;
  /** How long the origin may say nothing. The whole may take {@link WHOLE} times as long. */
  readonly silenceMs: number;
  /** Whether it may come by http: because its hash is checked. */
  readonly takesHttp: boolean;
  /** Rejects for a file that is not taken. */
  readonly check: (file: string) => Promise<void>;
  readonly signal: AbortSignal;
  /** Default: {@link MAX_DOWNLOAD_BYTES}. */
  readonly maxBytes?: number;
}

/** Of one archive. */
export const MAX_DOWNLOAD_BYTES = 100 * 1024 * 1024;
const WHOLE = 10;
const MAX_REDIRECTS = 5;

/** @returns its length in bytes. @throws ArchiveError, or an error of the system (rejects). */
export async function download(wanted: Download): Promise<number> {
  const { file, check } = wanted;
  const name = `.${path.basename(file)}.${drawBytes(6).toString('hex')}.tmp`;
  const temporary = path.join(path.dirname(file), name);
  try {
    const bytes = await fetchTo(temporary, wanted);
    await check(temporary);
    await rename(temporary, file);
    await systemFiles.syncDirectory(path.dirname(file));
    return bytes;
  } catch (error) {
    await unlink(temporary).catch((fault: unknown) => {
      if (errorCode(fault) !== 'ENOENT') throw fault;
    });
    throw error;
  }
}

async function fetchTo(temporary: string, wanted: Download): Promise<number> {
  const patience = new Patience(wanted);
  const target = await open(temporary, 'wx', 0o600);
  try {
    const response = await responseOf(wanted, patience);
    const bytes = await copy(response, target, patience, wanted.maxBytes ?? MAX_DOWNLOAD_BYTES);
    await target.chmod(0o644);
    await target.sync();
    return bytes;
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new ArchiveError(`the download failed: ${patience.reason ?? reasonOf(error)}`, { cause: error });
  } finally {
    patience.end();
    await target.close();
  }
}

async function responseOf({ url, takesHttp }: Download, patience: Patience): Promise<Response> {
  let at = new URL(url);
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    if (at.protocol !== 'https:' && !(takesHttp && at.protocol === 'http:')) {
      throw new ArchiveError(`the origin leads to ${at.protocol}//, which is not followed`);
    }
    // As it is: what comes is counted, and a hash is one of the file.
    const headers = { accept: 'application/zip, */*', 'accept-encoding': 'identity' };
    const response = await fetch(at, { redirect: 'manual', headers, signal: patience.signal });
    patience.heard();
    const location = response.headers.get('location');
    if (response.status === 200) return response;
    await response.body?.cancel();
    if (response.status < 300 || response.status >= 400 || location === null) {
      throw new ArchiveError(`the origin answered with the status ${String(response.status)}`);
    }
    at = new URL(location, at);
  }
  throw new ArchiveError(`the origin leads elsewhere more than ${String(MAX_REDIRECTS)} times`);
}

async function copy(response: Response, target: FileHandle, patience: Patience, maxBytes: number): Promise<number> {
  const tooLarge = new ArchiveError(`the origin has more than ${String(maxBytes)} bytes`);
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
    await response.body?.cancel();
    throw tooLarge;
  }
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    patience.heard();
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge;
    // All of it: a disk that is nearly full takes a part, and says why only at the next call.
    await target.writeFile(chunk);
  }
  return bytes;
}

function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  return errorCode(cause) ?? (cause instanceof Error ? cause.message : messageOf(error));
}

/** How long an origin is waited for. */
class Patience {
  /** Why it is over; undefined as long as it is not. */
  reason: string | undefined;
  readonly #ending = new AbortController();
  readonly #silenceMs: number;
  readonly #stopped: AbortSignal;
  readonly #whole: NodeJS.Timeout;
  #silence: NodeJS.Timeout;
  readonly #stop = (): void => this.#give('the node stops');

  constructor({ silenceMs, signal }: Pick<Download, 'silenceMs' | 'signal'>) {
    this.#silenceMs = silenceMs;
    this.#stopped = signal;
    this.#silence = this.#waitForMore();
    const wholeMs = silenceMs * WHOLE;
    this.#whole = setTimeout(() => this.#give(`it took longer than ${String(wholeMs / 1000)} seconds`), wholeMs);
    signal.addEventListener('abort', this.#stop);
    if (signal.aborted) this.#stop();
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  heard(): void {
    clearTimeout(this.#silence);
    this.#silence = this.#waitForMore();
  }

  end(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#whole);
    this.#stopped.removeEventListener('abort', this.#stop);
  }

  #waitForMore(): NodeJS.Timeout {
    const seconds = String(this.#silenceMs / 1000);
    return setTimeout(() => this.#give(`the origin was silent for ${seconds} seconds`), this.#silenceMs);
  }

  #give(reason: string): void {
    this.reason ??= reason;
    this.#ending.abort();
  }
}

/**
 * `static`: the files of a directory. Which file a URL names is decided in `file-lookup.ts`; ranges, validators and
 * conditional requests are done by the package `send`.
 *
 * Pages of other origins may read the files, but not as the visitor: `Access-Control-Allow-Origin: *` without
 * credentials. Crossbar.io sends both, a pair that browsers refuse. A response that hands out a cookie is made private
 * by `response.ts`.
 */
import type { ReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import type send from 'send';
import { sendAnswer, sendEmpty, sendStatus } from '../../http/answer.js';
import { READ_ONLY } from '../../http/methods.js';
import { StaticRoot } from './root.js';
import type { FileLookup, Found } from './file-lookup.js';
import { listingPage, readListing } from './listing.js';
import type { StaticConfig } from './schema.js';
import type { WebRequest, WebService } from '../../http/service.js';
import type { WebServiceDeps, WebServiceType } from '../service.js';

/** The package `send`; a node that serves no files does without it. */
type Send = typeof send;

/** A request, its response, and what sends files. */
interface Visit {
  readonly request: WebRequest;
  readonly res: ServerResponse;
  readonly send: Send;
}

const MISSING: Found = { kind: 'missing' };

class StaticService implements WebService {
  readonly methods = READ_ONLY;
  readonly #config: StaticConfig;
  /** file extension in lower case, with its dot -> media type */
  readonly #mimeTypes: ReadonlyMap<string, string>;
  readonly #root: StaticRoot;
  #send: Send | undefined;

  constructor(config: StaticConfig, { privatePaths, log }: Pick<WebServiceDeps, 'privatePaths' | 'log'>) {
    this.#config = config;
    this.#root = new StaticRoot(config, { privatePaths, log });
    const types = Object.entries(config.options.mime_types);
    this.#mimeTypes = new Map(types.map(([extension, type]) => [extension.toLowerCase(), type]));
  }

  async start(): Promise<void> {
    await this.#root.start();
    this.#send = (await import('send')).default;
  }

  async handle(request: WebRequest, res: ServerResponse): Promise<void> {
    if (this.#send === undefined) throw new Error('a static service was asked before it was started');
    res.setHeader('Access-Control-Allow-Origin', '*');
    const lookup = await this.#root.lookup();
    const found = (await lookup?.find(request.rest)) ?? { kind: 'missing' };
    const shown = found.kind === 'directory' && !this.#config.options.enable_directory_listing ? MISSING : found;
    const fallback = shown.kind === 'missing' ? await this.#fallback(lookup) : undefined;
    // While the file system was asked the visitor may have left.
    if (res.closed) return;
    if (fallback === undefined) await this.#answer(shown, { request, res, send: this.#send, lookup });
    // Browsers must not keep it: what they asked for may exist the next time.
    else await this.#sendFile(fallback, 'no-cache', { request, res, send: this.#send });
  }

  /** @returns what answers for paths that do not exist: the page of an application that reads the path itself. */
  async #fallback(lookup: FileLookup | undefined): Promise<string | undefined> {
    if (lookup === undefined || this.#config.options.default_file === undefined) return undefined;
    const found = await lookup.fallback();
    return found.kind === 'file' ? found.file : undefined;
  }

  async #answer(found: Found, visit: Visit & { readonly lookup: FileLookup | undefined }): Promise<void> {
    const { request, res, lookup } = visit;
    switch (found.kind) {
      case 'file':
        await this.#sendFile(found.file, this.#caching, visit);
        break;
      case 'directory':
        await sendDirectory(found.directory, request, res, lookup);
        break;
      case 'without-slash':
        sendEmpty(res, 302, { Location: `${pathOf(request)}/${request.query}`, 'Content-Length': 0 });
        break;
      case 'forbidden':
        sendStatus(res, 403, 'This file is not for the public.');
        break;
      case 'missing':
        sendStatus(res, 404, 'There is nothing here.');
    }
  }

  /** With a negative number browsers ask each time, as with 0. */
  get #caching(): string | undefined {
    const seconds = this.#config.options.cache_timeout;
    return seconds === null ? undefined : `max-age=${String(Math.max(seconds, 0))}, public`;
  }

  /** Resolves when the response is through, rejects when the file could not be read. */
  #sendFile(file: string, caching: string | undefined, { request: { req }, res, send }: Visit): Promise<void> {
    const type = this.#mimeTypes.get(path.extname(file).toLowerCase());
    if (type !== undefined) res.setHeader('Content-Type', type);
    if (caching !== undefined) res.setHeader('Cache-Control', caching);
    return new Promise((resolve, reject) => {
      res.once('close', resolve);
      // Dot files were sorted out by the lookup; the directory itself may well lie below `.crossbar`.
      send(req, encodeURIComponent(file), { cacheControl: false, dotfiles: 'allow', index: false })
        .on('error', (error: FileError) => {
          // Readable is only known by opening: the lookup does not ask, and its answer would be old by now.
          const status = error.code === 'EACCES' ? 403 : error.status;
          if (res.headersSent || status >= 500) reject(error);
          else refuseFile(res, status, error.headers);
        })
        .on('stream', (content: ReadStream) => content.once('end', () => cutIfWrongLength(content, res)))
        .pipe(res);
    });
  }
}

async function sendDirectory(
  directory: string,
  request: WebRequest,
  res: ServerResponse,
  lookup: FileLookup | undefined,
): Promise<void> {
  const entries = await readListing(directory, async (file) => (await lookup?.shows(file)) ?? false);
  sendAnswer(res, {
    status: 200,
    type: 'text/html; charset=utf-8',
    body: listingPage(decodeURIComponent(pathOf(request)), entries, request.rest !== '/'),
    headers: {
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
    },
  });
}

/**
 * Options: `default_file` (what a directory is answered with, and what does not exist), `enable_directory_listing`, `mime_types` (file
 * extension -> media type) and `cache_timeout` (seconds; with null browsers guess from the file's age).
 */
export const staticServiceType: WebServiceType<StaticConfig> = {
  type: 'static',
  create: (config, deps) => new StaticService(config, deps),
};

/** What `send` reports: an error with the status that it stands for. */
interface FileError extends NodeJS.ErrnoException {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The URL path of a request, as it came in. It never begins with `//`, which a browser would take for another host:
 * the lookup finds nothing at an empty name.
 */
function pathOf({ mount, rest }: WebRequest): string {
  return mount === '/' ? rest : `${mount}${rest}`;
}

/** 403, 404 (the file went away just now), 412 or 416: what was prepared for the file must not go out with them. */
function refuseFile(res: ServerResponse, status: number, headers: FileError['headers']): void {
  for (const name of ['ETag', 'Last-Modified', 'Cache-Control', 'Content-Range']) res.removeHeader(name);
  sendStatus(res, status, undefined, headers);
}

/**
 * A file that shrank while it was sent leaves the client waiting for bytes that never come, and the next response on
 * the connection would be taken for them: so the connection ends here.
 */
function cutIfWrongLength(content: ReadStream, res: ServerResponse): void {
  if (content.bytesRead !== Number(res.getHeader('Content-Length'))) res.destroy();
}

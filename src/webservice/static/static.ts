/**
 * `static`: the files of a directory. Which file a URL names is decided in `file-lookup.ts`, in which form it is sent in
 * `representation.ts`, and how long it may be kept in `caching.ts`; ranges, validators and conditional requests are done by the
 * package `send`.
 *
 * Where the config says so, pages of other origins may read the files, but not as the visitor. A response that hands out a cookie is
 * made private by `response.ts`.
 */
import type { ReadStream, Stats } from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import type send from 'send';
import { sendAnswer, sendEmpty, sendStatus } from '../../http/answer.js';
import { READ_ONLY } from '../../http/methods.js';
import { mayBePage } from './application-page.js';
import { cachingOf } from './caching.js';
import { listingPage, readListing } from './listing.js';
import { representationOf } from './representation.js';
import { StaticRoot } from './root.js';
import type { FileLookup, Found } from './file-lookup.js';
import type { Representation } from './representation.js';
import type { Logger } from '../../log/logger.js';
import type { StaticConfig } from './schema.js';
import type { WebRequest, WebService } from '../../http/service.js';
import type { WebServiceDeps, WebServiceType } from '../service.js';

/** The package `send`; a node that serves no files does without it. */
type Send = typeof send;

/** A request, its response, where its files are, and what sends them. */
interface Visit {
  readonly request: WebRequest;
  readonly res: ServerResponse;
  readonly lookup: FileLookup | undefined;
  readonly send: Send;
}

const MISSING: Found = { kind: 'missing' };

class StaticService implements WebService {
  readonly methods = READ_ONLY;
  readonly #config: StaticConfig;
  /** file extension in lower case, with its dot -> media type */
  readonly #mimeTypes: ReadonlyMap<string, string>;
  readonly #root: StaticRoot;
  readonly #log: Logger;
  #send: Send | undefined;
  /** Said once: a build leaves many. */
  #toldStale = false;

  constructor(config: StaticConfig, { privatePaths, log }: Pick<WebServiceDeps, 'privatePaths' | 'log'>) {
    this.#config = config;
    this.#log = log;
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
    if (this.#config.options.allow_cross_origin) res.setHeader('Access-Control-Allow-Origin', '*');
    const lookup = await this.#root.lookup();
    const found = (await lookup?.find(request.rest)) ?? { kind: 'missing' };
    const shown = found.kind === 'directory' && !this.#config.options.enable_directory_listing ? MISSING : found;
    const fallback = shown.kind === 'missing' ? await this.#fallback(lookup, request) : undefined;
    const visit: Visit = { request, res, lookup, send: this.#send };
    if (fallback === undefined) await this.#answer(shown, visit);
    // Browsers must not keep it: what they asked for may exist the next time.
    else await this.#sendFile(fallback, 'no-cache', visit);
  }

  /** @returns what answers for paths that do not exist: the page of an application that reads the path itself. */
  async #fallback(lookup: FileLookup | undefined, request: WebRequest): Promise<string | undefined> {
    const { default_file: file } = this.#config.options;
    if (lookup === undefined || file === undefined || !mayBePage(request)) return undefined;
    const found = await lookup.fileAt(file);
    return found.kind === 'file' ? found.file : undefined;
  }

  async #answer(found: Found, visit: Visit): Promise<void> {
    const { request, res, lookup } = visit;
    // While the file system was asked the visitor may have left.
    if (res.closed) return;
    switch (found.kind) {
      case 'file':
        await this.#sendFile(found.file, this.#cachingOf(found.file, request), visit);
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

  #cachingOf(file: string, { rest }: WebRequest): string | undefined {
    return cachingOf({
      timeout: this.#config.options.cache_timeout,
      urlPath: rest,
      file,
      type: this.#mimeTypes.get(path.extname(file).toLowerCase()),
    });
  }

  /** Resolves when the response is through, rejects when the file could not be read. */
  async #sendFile(file: string, caching: string | undefined, visit: Visit): Promise<void> {
    const { request, res, lookup } = visit;
    const representation = await representationOf(file, request.req.headers['accept-encoding'], {
      shows: async (copy) => (await lookup?.shows(copy)) ?? false,
      onStale: (copy) => this.#tellStale(copy),
    });
    // While the file system was asked the visitor may have left.
    if (res.closed) return;
    const type = this.#mimeTypes.get(path.extname(file).toLowerCase());
    if (type !== undefined) res.setHeader('Content-Type', type);
    if (caching !== undefined) res.setHeader('Cache-Control', caching);
    if (representation.varies) res.setHeader('Vary', 'Accept-Encoding');
    await sendRepresentation(file, representation, visit);
  }

  #tellStale(copy: string): void {
    if (this.#toldStale) return;
    this.#toldStale = true;
    const remedy = 'compress the files again after each build, or remove the copies';
    this.#log.warn({ file: copy, remedy }, 'compressed copy is older than its file, and not served');
  }
}

/** @param file what was asked for; its copy has its media type */
function sendRepresentation(
  file: string,
  { file: sent, coding }: Representation,
  { request: { req }, res, send }: Visit,
): Promise<void> {
  return new Promise((resolve, reject) => {
    res.once('close', resolve);
    // Dot files were sorted out by the lookup; the directory itself may well lie below `.crossbar`.
    const sending = send(req, encodeURIComponent(sent), { cacheControl: false, dotfiles: 'allow', index: false });
    sending
      .on('error', (error: FileError) => {
        // Readable is only known by opening: the lookup does not ask, and its answer would be old by now.
        const status = error.code === 'EACCES' ? 403 : error.status;
        if (res.headersSent || status >= 500) reject(error);
        else refuseFile(res, status, error.headers);
      })
      .on('headers', (_res: ServerResponse, _path: string, { size, mtimeMs }: Stats) => {
        if (coding === undefined) return;
        sending.type(file);
        res.setHeader('Content-Encoding', coding.name);
        // Two copies may be equally long and equally old, and parts of the one must not complete the other.
        res.setHeader('ETag', `W/"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}-${coding.name}"`);
      })
      .on('stream', (content: ReadStream) => content.once('end', () => cutIfWrongLength(content, res)))
      .pipe(res);
  });
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
 * Options: `default_file` (answers for what does not exist), `index` (answers for a directory), `enable_directory_listing`,
 * `allow_cross_origin`, `mime_types` (file extension -> media type) and `cache_timeout` (seconds; with null browsers guess from the
 * file's age; left out, see `caching.ts`).
 */
export const staticServiceType: WebServiceType<StaticConfig> = {
  type: 'static',
  atFront: 'untracked',
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
  for (const name of ['ETag', 'Last-Modified', 'Cache-Control', 'Content-Encoding', 'Content-Range'])
    res.removeHeader(name);
  sendStatus(res, status, undefined, headers);
}

/**
 * A file that shrank while it was sent leaves the client waiting for bytes that never come, and the next response on
 * the connection would be taken for them: so the connection ends here.
 */
function cutIfWrongLength(content: ReadStream, res: ServerResponse): void {
  if (content.bytesRead !== Number(res.getHeader('Content-Length'))) res.destroy();
}

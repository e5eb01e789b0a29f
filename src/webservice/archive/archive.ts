/**
 * `archive`: the files of a ZIP archive, which is never unpacked to the disk. Which entries there are is read once, at the start; the
 * file may come from an origin (`source.ts`). An entry goes out as it is packed to clients that take gzip, else unpacked. Its
 * checksum and length are its validator.
 */
import { isFresh, sendEmpty, sendStatus } from '../../http/answer.js';
import { READ_ONLY } from '../../http/methods.js';
import { qualityOf } from '../../http/quality.js';
import { errorCode } from '../../system/error.js';
import { mayBePage } from '../static/application-page.js';
import { hasHash } from '../static/caching.js';
import { gzipLength, sendGzip, sendUnpacked, unpack } from './content.js';
import { mediaTypes } from './media-types.js';
import { ObjectCache } from './object-cache.js';
import { openArchive } from './source.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest, WebService } from '../../http/service.js';
import type { Logger } from '../../log/logger.js';
import type { WebServiceDeps } from '../service.js';
import type { ArchiveEntry } from './contents.js';
import type { ArchiveConfig } from './schema.js';
import type { ZipFile } from './zip-file.js';

/** Up to this length an entry is unpacked before the answer begins: one that is damaged gets a clear answer then. */
const AT_ONCE_BYTES = 256 * 1024;

/** How it shows that the visitor left: which one, that depends on how many streams there are between the file and the answer. */
const OF_THE_VISITOR: ReadonlySet<string | undefined> = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR']);

class ArchiveService implements WebService {
  readonly methods = READ_ONLY;
  readonly #config: ArchiveConfig;
  readonly #log: Logger;
  readonly #typeOf: (name: string) => string;
  readonly #cache: ObjectCache | undefined;
  readonly #stopping = new AbortController();
  #zip: ZipFile | undefined;

  constructor(config: ArchiveConfig, { log }: Pick<WebServiceDeps, 'log'>) {
    this.#config = config;
    this.#log = log;
    this.#typeOf = mediaTypes(config.mime_types);
    this.#cache = config.cache ? new ObjectCache() : undefined;
  }

  async start(): Promise<void> {
    const zip = await openArchive(this.#config, { log: this.#log, signal: this.#stopping.signal });
    if (this.#stopping.signal.aborted) await zip.close();
    else this.#zip = zip;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const zip = this.#zip;
    this.#zip = undefined;
    await zip?.close();
  }

  async handle(request: WebRequest, res: WebResponse): Promise<void> {
    if (this.#zip === undefined) throw new Error('an archive was asked before it was started, or after its end');
    if (this.#config.options.allow_cross_origin) res.setHeader('Access-Control-Allow-Origin', '*');
    const found = this.#find(this.#zip, request);
    if (found === 'without slash') {
      const location = `${request.mount === '/' ? '' : request.mount}${request.rest}/${request.query}`;
      sendEmpty(res, 302, { Location: location, 'Content-Length': 0 });
    } else if (found === undefined) sendStatus(res, 404, 'There is nothing here.');
    else await this.#send(this.#zip, found, request, res);
  }

  #find({ contents }: ZipFile, request: WebRequest): ArchiveEntry | 'without slash' | undefined {
    const { default_object: index, object_prefix: prefix, options } = this.#config;
    const at = (name: string): ArchiveEntry | undefined =>
      contents.entries.get(prefix === undefined ? name : `${prefix.replace(/\/+$/, '')}/${name}`);
    // Relative links of a page need the slash.
    if (request.rest === '') return 'without slash';
    const name = nameOf(request.rest);
    const found = name === undefined ? undefined : at(name === '' || name.endsWith('/') ? `${name}${index}` : name);
    if (found !== undefined) return found;
    if (name !== undefined && name !== '' && !name.endsWith('/') && at(`${name}/${index}`) !== undefined)
      return 'without slash';
    return options.default_file !== undefined && mayBePage(request) ? at(options.default_file) : undefined;
  }

  async #send(zip: ZipFile, entry: ArchiveEntry, { req, rest }: WebRequest, res: WebResponse): Promise<void> {
    const isGzip = entry.isDeflated && takesGzip(req.headers['accept-encoding']);
    const etag = `"${entry.crc32.toString(16).padStart(8, '0')}-${entry.size.toString(16)}${isGzip ? '-gzip' : ''}"`;
    res.setHeader('ETag', etag);
    // Another archive may have another file of this name, unless the name is made of what is in it.
    res.setHeader('Cache-Control', hasHash(rest) ? 'public, max-age=31536000, immutable' : 'no-cache');
    if (entry.isDeflated) res.setHeader('Vary', 'Accept-Encoding');
    if (isFresh(req, etag)) {
      sendEmpty(res, 304);
      return;
    }
    res.setHeader('Content-Type', this.#typeOf(entry.name));
    res.setHeader('Content-Length', isGzip ? gzipLength(entry) : entry.size);
    if (isGzip) res.setHeader('Content-Encoding', 'gzip');
    if (req.method === 'HEAD') res.end();
    else await this.#sendContent(zip, entry, res, isGzip);
  }

  async #sendContent(zip: ZipFile, entry: ArchiveEntry, res: WebResponse, isGzip: boolean): Promise<void> {
    try {
      if (isGzip) await sendGzip(entry, await zip.packed(entry), res);
      else if (this.#cache?.takes(entry) === true || entry.size <= AT_ONCE_BYTES) {
        const make = async (): Promise<Buffer> => unpack(entry, await zip.packed(entry));
        const content = await (this.#cache?.takes(entry) === true ? this.#cache.get(entry, make) : make());
        // While it was unpacked the visitor may have left.
        if (!res.closed) res.end(content);
      } else await sendUnpacked(entry, await zip.packed(entry), res);
    } catch (error) {
      // The visitor left, or what was sent is cut short; else the server answers with 500.
      if (!OF_THE_VISITOR.has(errorCode(error))) throw error;
    }
  }
}

/** Options: see `schema.ts`. */
export function createArchive(config: ArchiveConfig, deps: WebServiceDeps): WebService {
  return new ArchiveService(config, deps);
}

/** @returns the name that a URL path stands for; undefined for one that no entry can have. */
function nameOf(rest: string): string | undefined {
  const parts = rest.slice(1).split('/').map(decodeURIComponent);
  return parts.some((part) => part.includes('/')) ? undefined : parts.join('/');
}

/** Whether a client takes gzip, and does not like it less than the file itself. */
function takesGzip(accepted: string | undefined): boolean {
  const gzip = qualityOf(accepted, 'gzip') ?? qualityOf(accepted, 'x-gzip') ?? qualityOf(accepted, '*') ?? 0;
  return gzip > 0 && gzip >= (qualityOf(accepted, 'identity') ?? 0);
}

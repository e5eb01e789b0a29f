/** The files of the page, read once and kept: they are the same for everybody, and tell nothing of the node. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { etagOf, isFresh, sendEmpty } from '../../http/answer.js';
import { qualityOf } from '../../http/quality.js';
import type { IncomingMessage } from 'node:http';
import type { WebResponse } from '../../http/response.js';

/** File -> media type. */
const FILES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'monitor.js': 'text/javascript; charset=utf-8',
  'monitor.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

/** Nothing from elsewhere, nothing inline, and no page around it. */
const PROTECTION = {
  'Content-Security-Policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly gzip: Buffer;
}

/** Asked by the path below the mount, such as `/monitor.js`. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** @param settings what the page is told at first: a file more. Rejects when a file of the page is missing. */
export async function readPage(directory: string, settings: object): Promise<PageFiles> {
  const files = new Map<string, PageFile>();
  for (const [name, type] of Object.entries(FILES)) {
    files.set(`/${name}`, await fileOf(await readFile(path.join(directory, name)), type));
  }
  const json = Buffer.from(`${JSON.stringify(settings)}\n`);
  files.set('/settings.json', await fileOf(json, 'application/json; charset=utf-8'));
  const index = files.get('/index.html');
  if (index !== undefined) files.set('/', index);
  return files;
}

async function fileOf(plain: Buffer, type: string): Promise<PageFile> {
  return { type, etag: etagOf(plain.toString('latin1')), plain, gzip: await promisify(gzip)(plain, { level: 9 }) };
}

/** Answers with a file, or with 304. */
export function sendFile(req: IncomingMessage, res: WebResponse, { type, etag, plain, gzip: packed }: PageFile): void {
  const headers = { ...PROTECTION, ETag: etag, 'Cache-Control': 'no-cache', Vary: 'Accept-Encoding' };
  if (isFresh(req, etag)) return sendEmpty(res, 304, headers);
  const isPacked = (qualityOf(req.headers['accept-encoding'], 'gzip') ?? 0) > 0;
  const body = isPacked ? packed : plain;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (isPacked) res.setHeader('Content-Encoding', 'gzip');
  res.setHeader('Content-Type', type);
  res.setHeader('Content-Length', body.length);
  res.statusCode = 200;
  res.end(body);
}

/**
 * `upload`: takes files from browsers in pieces, as resumable.js sends them, so that an upload which was interrupted goes on where it
 * was, also after the node was killed.
 *
 *     GET  <upload>?<fields>   200: the piece is there; 204: it is not
 *     POST <upload>            a form with the fields and the piece; 200 when it is on the disk, and with the last one the file
 *
 *     POST: origin 403 -> head of the body -> login 400 -> fields 400, 415 (`fields.ts`) -> room 503 (`unfinished.ts`)
 *             -> topic 400 (`progress.ts`) -> the piece (`form.ts`) -> all are there: the file (`assembly.ts`) -> 200
 *
 * A disk that fails is 500. What stops resumable.js, and what does not, stands in `refused-upload.ts`.
 */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { Turns } from '../../system/turns.js';
import { ServiceSession } from '../../client/service-session.js';
import { sendAnswer, sendEmpty, sendStatus, statusAnswer } from '../../http/answer.js';
import { refusalOfHead, refuseBody } from '../../http/bodies.js';
import { bodyMemory } from '../../http/body-memory.js';
import { CrossOrigin } from '../../http/cross-origin.js';
import { isMountItself } from '../../http/target.js';
import { RepeatedLog } from '../../log/repeated.js';
import { errorCode } from '../../system/error.js';
import { RefusalLog } from '../../transport/refusal.js';
import { AnsweredUploads } from './answered.js';
import { Assembly } from './assembly.js';
import { checkFields, uploadKey } from './fields.js';
import { machineFiles } from './files.js';
import { readForm, tooLong } from './form.js';
import { loadBusboy } from './packages.js';
import { Progress } from './progress.js';
import { RETRY_LATER, RefusedUpload } from './refused-upload.js';
import { RepeatedPieces } from './repeats.js';
import { UnfinishedUploads } from './unfinished.js';
import { Visitors, addressOf } from './visitors.js';
import type { After, BodyRefusal } from '../../http/bodies.js';
import type { BodyMemory } from '../../http/body-memory.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest, WebService } from '../../http/service.js';
import type { Refusal } from '../../transport/refusal.js';
import type { WebServiceDeps } from '../service.js';
import type { FormFields, UploadFields } from './fields.js';
import type { UploadFiles } from './files.js';
import type { FileSink, FormEnd } from './form.js';
import type { MakeParser } from './packages.js';
import type { UploadConfig } from './schema.js';
import type { PieceWriter, Unfinished, UnfinishedLimits } from './unfinished.js';

/** What tests put in the place of the machine. */
export interface UploadMachine {
  readonly files: UploadFiles;
  readonly memory: BodyMemory;
  readonly after: After;
}

const MACHINE: UploadMachine = {
  files: machineFiles,
  memory: bodyMemory,
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

const METHODS = ['POST', 'GET', 'HEAD'];

/** How many may use the disk at a time: Node.js has four threads for it, and cookies are written by them, too. */
const DISK_TURNS = 2;

/** How many files are put together at a time. */
const ASSEMBLY_TURNS = 2;

/** What a body has beside the piece: the fields, and what is around them. */
const FORM_BYTES = 2 * 1024 * 1024;

/** How often stale uploads are looked for, at most. */
const SWEEP_MS = 10 * 60 * 1000;

const GIB = 1024 ** 3;

const NO_STORE = { 'Cache-Control': 'no-store' };

/** A request that brings a piece. */
interface Delivery {
  readonly fields: UploadFields;
  readonly upload: Unfinished;
  /** Undefined for a piece that is there already. */
  readonly writer: PieceWriter | undefined;
}

const NOWHERE: FileSink = { append: () => Promise.resolve() };

/** The service; see the head of the file. */
export class UploadService implements WebService {
  readonly methods = [...METHODS, 'OPTIONS'];
  readonly #config: UploadConfig;
  readonly #deps: WebServiceDeps;
  readonly #machine: UploadMachine;
  readonly #origins: CrossOrigin;
  readonly #refusals: RefusalLog;
  readonly #faults: RepeatedLog;
  readonly #session: ServiceSession;
  readonly #progress: Progress;
  readonly #visitors: Visitors;
  readonly #unfinished: UnfinishedUploads;
  readonly #known: ReadonlySet<string>;
  readonly #assembling = new Turns(ASSEMBLY_TURNS);
  /** key -> the end of an upload that has all its pieces */
  readonly #finishing = new Map<string, Promise<void>>();
  readonly #answered: AnsweredUploads;
  readonly #repeats: RepeatedPieces;
  #assembly: Assembly | undefined;
  #parser: MakeParser | undefined;
  #sweeping: NodeJS.Timeout | undefined;

  constructor(config: UploadConfig, deps: WebServiceDeps, machine: Partial<UploadMachine> = {}) {
    this.#config = config;
    this.#deps = deps;
    this.#machine = { ...MACHINE, ...machine };
    const { id, type, realm, role, options, form_fields } = config;
    this.#origins = new CrossOrigin(options, METHODS);
    this.#refusals = new RefusalLog(deps.log);
    this.#faults = new RepeatedLog(deps.log);
    this.#session = new ServiceSession({ router: deps.router, log: deps.log }, { realm, role, authid: id ?? type });
    this.#progress = new Progress(this.#session, deps.log);
    this.#visitors = new Visitors(config, deps);
    this.#answered = new AnsweredUploads(deps.clock);
    this.#repeats = new RepeatedPieces(deps.clock);
    this.#known = new Set(Object.values(form_fields));
    this.#unfinished = new UnfinishedUploads({
      directory: config.temp_directory ?? path.join(config.directory, '.unfinished'),
      limits: limitsOf(options),
      files: this.#machine.files,
      disk: this.#disk,
      clock: deps.clock,
    });
  }

  readonly #disk = new Turns(DISK_TURNS);

  async start(): Promise<void> {
    this.#parser = await loadBusboy();
    const { files } = this.#machine;
    const { directory, options } = this.#config;
    await files.makeDirectory(directory);
    const real = await realpath(directory);
    const privatePaths = await Promise.all(this.#deps.privatePaths.map(realOrSame));
    if (privatePaths.includes(real)) {
      throw new Error(`cannot put uploads into ${directory}: what is in it is private to the node`);
    }
    const mode = Number.parseInt(options.file_permissions, 8);
    const { overwrite } = options;
    this.#assembly = new Assembly({ directory: real, privatePaths, mode, overwrite, files, disk: this.#disk });
    await this.#visitors.start();
    await this.#unfinished.start();
    await this.#forgetFinished(this.#assembly);
    this.#sweeping = setInterval(() => void this.#sweep(), Math.min(SWEEP_MS, options.unfinished_timeout * 250));
    this.#sweeping.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeping);
    this.#assembly?.stop();
    await Promise.allSettled(this.#finishing.values());
    await this.#session.stop();
    this.#progress.end();
    this.#refusals.end();
    this.#faults.end();
  }

  async handle(request: WebRequest, res: WebResponse): Promise<void> {
    const { req, rest } = request;
    if (!isMountItself(rest)) return sendStatus(res, 404, 'There is nothing here.');
    if (req.method === 'OPTIONS') {
      const unasked = this.#origins.preflight(req, res);
      if (unasked !== undefined) this.#refusals.request(req, unasked);
      return;
    }
    const refusal = this.#origins.admit(req, res) ?? (await this.#visitors.judge(request));
    if (refusal !== undefined) return this.#refuse(request, res, refusal);
    if (req.method === 'POST') await this.#post(request, res);
    else await this.#test(request, res);
  }

  /** Whether a piece is there. */
  async #test(request: WebRequest, res: WebResponse): Promise<void> {
    if (request.query === '') return sendAnswer(res, statusAnswer(200, 'Files are uploaded here.', NO_STORE));
    try {
      const given = new Map([...new URLSearchParams(request.query)].reverse());
      const fields = checkFields(given, this.#config);
      const key = uploadKey(this.#visitors.nameOf(request), fields);
      const isThere = await this.#isThere(key, fields);
      if (isThere) sendAnswer(res, statusAnswer(200, undefined, NO_STORE));
      else sendEmpty(res, 204, NO_STORE);
    } catch (error) {
      this.#refuse(request, res, this.#refusalOf(error));
    }
  }

  async #isThere(key: string, fields: UploadFields): Promise<boolean> {
    const upload = this.#unfinished.find(key);
    if (upload === undefined && this.#answered.has(key)) return true;
    if (upload?.pieces.has(fields.chunk) !== true) {
      // From now on nothing comes again: it comes anew.
      this.#repeats.forget(key);
      return false;
    }
    const isWhole = upload.pieces.size === fields.chunks;
    await this.#finish(upload, fields);
    if (isWhole) this.#answered.add(key);
    return true;
  }

  async #post(request: WebRequest, res: WebResponse): Promise<void> {
    const refusal = this.#refusalOfHead(request);
    if (refusal !== undefined) return this.#refuse(request, res, refusal);
    if (res.awaitsContinue) res.writeContinue();
    let delivery: Delivery | undefined;
    const end = await this.#read(request, res, async (given) => {
      delivery = await this.#begin(request, given);
      return delivery.writer ?? NOWHERE;
    });
    const outcome = await this.#outcomeOf(end, delivery);
    if (outcome === 'gone' || res.closed) return;
    if (outcome === 'done') sendAnswer(res, statusAnswer(200, undefined, NO_STORE));
    else this.#refuse(request, res, outcome);
  }

  /** Whatever the outcome is: when it is told, nothing is left of a piece that did not come to its end. */
  async #outcomeOf(end: FormEnd, delivery: Delivery | undefined): Promise<'done' | 'gone' | BodyRefusal> {
    try {
      if (end === 'gone') return end;
      if (end !== 'whole') return 'failed' in end ? this.#refusalOf(end.failed) : end;
      if (delivery === undefined) throw new Error('a form was read to its end without a file');
      await this.#take(delivery);
      return 'done';
    } catch (error) {
      return this.#refusalOf(error);
    } finally {
      await this.#leave(delivery);
    }
  }

  #read(request: WebRequest, res: WebResponse, begin: (given: FormFields) => Promise<FileSink>): Promise<FormEnd> {
    if (this.#parser === undefined) throw new Error('an upload was asked before it was started');
    const { form_fields, options } = this.#config;
    const rules = {
      content: form_fields.content,
      known: this.#known,
      maxBytes: options.max_file_size + FORM_BYTES,
      timeoutMs: options.chunk_timeout * 1000,
    };
    const { memory, after } = this.#machine;
    return readForm(request, res, { rules, deps: { parser: this.#parser, memory, after }, begin });
  }

  /** The fields are there, and the piece begins. */
  async #begin(request: WebRequest, given: FormFields): Promise<Delivery> {
    const fields = checkFields(given, this.#config);
    const key = uploadKey(this.#visitors.nameOf(request), fields);
    const upload = await this.#unfinished.enter(key, addressOf(request));
    if (upload.pieces.has(fields.chunk)) return { fields, upload, writer: undefined };
    try {
      if (!this.#repeats.mayHave(key, fields.chunk)) await this.#tellBegin(upload, fields);
      return { fields, upload, writer: this.#unfinished.piece(upload, fields.chunk, fields.length) };
    } catch (error) {
      await this.#unfinished.leave(upload);
      throw error;
    }
  }

  async #tellBegin(upload: Unfinished, fields: UploadFields): Promise<void> {
    if (upload.isTold) return;
    upload.isTold = true;
    try {
      await this.#progress.begin(fields);
    } catch (error) {
      upload.isTold = false;
      throw error;
    }
  }

  /** The piece has come to its end. */
  async #take({ fields, upload, writer }: Delivery): Promise<void> {
    if (writer !== undefined) {
      const isRepeat = writer.isNeedless || this.#repeats.has(upload.key, fields.chunk, writer.mark);
      if (!isRepeat) await this.#tellBegin(upload, fields);
      const isNew = await writer.commit();
      if (isNew && upload.isTold && fields.chunks > 1) {
        this.#progress.tell(fields, { status: 'progress', received: upload.received });
      }
    }
    await this.#finish(upload, fields);
  }

  async #leave(delivery: Delivery | undefined): Promise<void> {
    if (delivery === undefined) return;
    await delivery.writer?.end();
    await this.#unfinished.leave(delivery.upload);
  }

  /** Makes the file when all pieces are there. Whoever asks meanwhile waits for it. */
  async #finish(upload: Unfinished, fields: UploadFields): Promise<void> {
    const under = this.#finishing.get(upload.key);
    if (under !== undefined) return under;
    // Another request may have finished it.
    if (upload.pieces.size < fields.chunks || this.#unfinished.find(upload.key) !== upload) return;
    // All pieces came again: the file is there.
    if (!upload.isTold) return this.#unfinished.remove(upload);
    const finishing = this.#assemble(upload, fields).finally(() => this.#finishing.delete(upload.key));
    this.#finishing.set(upload.key, finishing);
    await finishing;
  }

  async #assemble(upload: Unfinished, fields: UploadFields): Promise<void> {
    if (this.#assembly === undefined) throw new Error('an upload was finished before it was started');
    const { key } = upload;
    const { name, total, chunks } = fields;
    const pieces = Array.from({ length: chunks }, (_, index) => this.#unfinished.fileOf(upload, index + 1));
    upload.users += 1;
    const giveBack = await this.#assembling.take();
    try {
      const remove = (): Promise<void> => this.#unfinished.remove(upload);
      const given = await this.#assembly.assemble({ key, name, pieces, total }, remove);
      this.#repeats.add(key, upload.recent);
      this.#deps.log.info({ file: given, bytes: total }, 'file uploaded');
      this.#progress.tell(fields, { status: 'finished', received: total, name: given });
    } finally {
      giveBack();
      upload.users -= 1;
    }
  }

  /** Files that had got their names before a crash need their pieces no more. */
  async #forgetFinished(assembly: Assembly): Promise<void> {
    for (const key of await assembly.start()) {
      const upload = this.#unfinished.find(key);
      if (upload !== undefined) await this.#unfinished.remove(upload);
      await assembly.forget(key);
    }
  }

  async #sweep(): Promise<void> {
    try {
      const count = await this.#unfinished.sweep();
      if (count > 0) this.#deps.log.info({ count }, 'unfinished uploads deleted, they did not go on');
    } catch (error) {
      this.#faults.say('error', { err: error }, 'unfinished uploads cannot be deleted', 'sweep');
    }
  }

  #refusalOfHead({ req }: WebRequest): BodyRefusal | undefined {
    const maxBytes = this.#config.options.max_file_size + FORM_BYTES;
    if (Number(req.headers['content-length'] ?? 0) > maxBytes) return tooLong(maxBytes);
    return refusalOfHead(req, { maxBytes: Infinity, mediaTypes: ['multipart/form-data'] });
  }

  /** @throws what is no fault of the client, and none of the disk. */
  #refusalOf(error: unknown): Refusal {
    if (error instanceof RefusedUpload) return error.refusal;
    const code = errorCode(error);
    if (code === undefined) throw error;
    this.#faults.say('error', { err: error }, 'upload cannot be stored', code);
    if (code === 'EMFILE' || code === 'ENFILE') {
      return { status: 503, text: 'too many files are open', kind: 'open files of uploads', headers: RETRY_LATER };
    }
    return { status: 500, text: 'the file cannot be stored', kind: 'disk of uploads' };
  }

  /** Says no, and why. The body is read and dropped for a while, or the answer would be lost on the way. */
  #refuse({ req }: WebRequest, res: WebResponse, refusal: BodyRefusal): void {
    if (refusal.isLogged !== true && refusal.status !== 500) this.#refusals.request(req, refusal);
    refuseBody(req, res, refusal, { after: this.#machine.after });
  }
}

/** A share of the room for an address is a quarter, but a file must fit into it. */
function limitsOf(options: UploadConfig['options']): UnfinishedLimits {
  const { max_file_size: fileBytes, max_unfinished: uploads, max_unfinished_per_address: own } = options;
  const diskBytes = options.max_unfinished_size ?? Math.max(GIB, fileBytes * 2);
  const share = options.max_unfinished_size_per_address ?? Math.max(diskBytes / 4, fileBytes * 1.25);
  const perAddress = { uploads: own, diskBytes: share };
  return { uploads, diskBytes, perAddress, idleMs: options.unfinished_timeout * 1000 };
}

async function realOrSame(place: string): Promise<string> {
  try {
    return await realpath(place);
  } catch {
    // It is not there yet, or not for us.
    return place;
  }
}

/** See the head of the file. */
export function createUpload(config: UploadConfig, deps: WebServiceDeps): WebService {
  return new UploadService(config, deps);
}

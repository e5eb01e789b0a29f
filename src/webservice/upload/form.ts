/**
 * Reads one form (`multipart/form-data`): first the fields, then one file, which goes to its sink as it comes. One piece of what the
 * socket gave is in the parser at a time; until it has been worked off, the socket is not read. So a body takes no memory to speak
 * of, however long it is, and is as slow as the disk.
 *
 *     fields -> the file begins: `begin` says where it goes -> its bytes -> the end of the form
 *        too many, too long, twice, after the file, no form: 400 | too slow: 408 | no memory: 503 | the client has left: nothing
 *
 * It knows neither what the fields mean nor where the file goes.
 */
import { NO_MEMORY, endOfFailure, tooSlow } from '../../http/bodies.js';
import { RefusedUpload, badField } from './refused-upload.js';
import type { Busboy } from 'busboy';
import type { Readable } from 'node:stream';
import type { After, BodyRefusal } from '../../http/bodies.js';
import type { BodyMemory } from '../../http/body-memory.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest } from '../../http/service.js';
import type { FormFields } from './fields.js';
import type { MakeParser } from './packages.js';

/** Where a file goes. */
export interface FileSink {
  append(bytes: Uint8Array): Promise<void>;
}

export interface FormRules {
  /** The field with the file. */
  readonly content: string;
  /** Fields that are kept, and must not come after the file. */
  readonly known: ReadonlySet<string>;
  /** How many bytes the whole body may have. */
  readonly maxBytes: number;
  /** Within how many milliseconds it must have come. */
  readonly timeoutMs: number;
}

export interface FormDeps {
  readonly parser: MakeParser;
  readonly memory: BodyMemory;
  readonly after: After;
}

/** How a form ends: whole, or the client has left, or it is refused; or something failed here. */
export type FormEnd = 'whole' | 'gone' | BodyRefusal | { readonly failed: unknown };

/** What a form may have; resumable.js sends nine fields and those of the page. */
const LIMITS = { fieldNameSize: 200, fieldSize: 16 * 1024, fields: 64, files: 1, parts: 66, headerPairs: 16 };

/** How much of the file the parser keeps for us, in bytes. */
const FILE_BYTES = 16 * 1024;

const NO_FORM = badField('the body is no form (multipart/form-data), or not all of it').refusal;

/**
 * @param begin is called when the file begins, with all the fields; what it rejects with ends the form.
 * @returns when nothing of the body will come any more and the sink is left alone.
 */
export async function readForm(
  request: WebRequest,
  res: WebResponse,
  { rules, deps, begin }: Omit<ReadingParts, 'parser'>,
): Promise<FormEnd> {
  let parser: Busboy;
  try {
    const { headers } = request.req;
    parser = deps.parser({ headers, highWaterMark: 1, fileHwm: FILE_BYTES, limits: LIMITS, defParamCharset: 'utf8' });
  } catch {
    // It throws for a Content-Type that is none, or has no boundary.
    return NO_FORM;
  }
  return new Reading({ parser, rules, deps, begin }).run(request, res);
}

interface ReadingParts {
  readonly parser: Busboy;
  readonly rules: FormRules;
  readonly deps: FormDeps;
  readonly begin: (fields: FormFields) => Promise<FileSink>;
}

class Reading {
  readonly #parts: ReadingParts;
  readonly #fields = new Map<string, string>();
  /** The file on its way to the sink; never rejects. */
  #file: Promise<void> | undefined;
  #received = 0;
  /** Bytes that are charged: of what is in the parser, and of the fields. */
  #held = 0;
  #fieldBytes = 0;
  #settle: (end: FormEnd) => void = () => undefined;

  constructor(parts: ReadingParts) {
    this.#parts = parts;
  }

  async run({ req }: WebRequest, res: WebResponse): Promise<FormEnd> {
    const { parser, rules, deps } = this.#parts;
    // It also fails when it is destroyed: without a listener that would end the process.
    parser.on('error', () => this.#settle(NO_FORM));
    const end = await new Promise<FormEnd>((resolve) => {
      this.#settle = resolve;
      if (req.destroyed || res.closed) return resolve('gone');
      if (res.requestError !== undefined) return resolve(endOfFailure(res.requestError));
      this.#listenToParser();
      res.once('close', () => resolve('gone'));
      req.on('data', (bytes: Buffer) => this.#take(req, bytes));
      req.on('end', () => parser.end());
      req.on('error', (error) => resolve(endOfFailure(error)));
      // Comes behind an `end`, too.
      req.on('close', () => {
        if (!req.readableEnded) resolve('gone');
      });
      const callOff = deps.after(rules.timeoutMs, () => resolve(tooSlow(rules.timeoutMs)));
      res.once('close', callOff);
      this.#settle = (how) => {
        callOff();
        resolve(how);
      };
    });
    req.removeAllListeners('data').removeAllListeners('end');
    // Ends the file, too, if it is still on its way.
    parser.destroy();
    await this.#file;
    this.#release();
    deps.memory.release(this.#fieldBytes);
    return end;
  }

  #listenToParser(): void {
    const { parser, rules } = this.#parts;
    const refuse = (): void => this.#settle(badField('the form has too many fields').refusal);
    parser.on('fieldsLimit', refuse).on('filesLimit', refuse).on('partsLimit', refuse);
    parser.on('field', (name: string | undefined, value, { valueTruncated }) => {
      const fault = this.#faultOf(name, valueTruncated);
      if (fault === undefined) this.#keep(name ?? '', value);
      else this.#settle(badField(fault).refusal);
    });
    parser.on('file', (name: string | undefined, stream) => {
      // Also when nobody reads it any more.
      stream.on('error', () => undefined);
      if (name === rules.content) this.#file = this.#pass(stream);
      else this.#settle(badField(`the file must be in the field "${rules.content}"`).refusal);
    });
    parser.on('close', () => void this.#end());
  }

  /** What a page sends beside is nobody's business here. */
  #keep(name: string, value: string): void {
    const { rules, deps } = this.#parts;
    if (!rules.known.has(name)) return;
    const bytes = value.length * 2;
    if (!deps.memory.charge(bytes)) return this.#settle(NO_MEMORY);
    this.#fieldBytes += bytes;
    this.#fields.set(name, value);
  }

  /** @returns what is wrong with a field. */
  #faultOf(name: string | undefined, isTruncated: boolean): string | undefined {
    if (name === undefined) return 'a field of the form has no name';
    if (isTruncated) return 'a field of the form is too long';
    if (this.#fields.has(name)) return `the field "${name.slice(0, 100)}" comes twice`;
    if (this.#file !== undefined && this.#parts.rules.known.has(name))
      return 'the file must come after all other fields';
    return undefined;
  }

  async #pass(stream: Readable): Promise<void> {
    try {
      const sink = await this.#parts.begin(this.#fields);
      for await (const bytes of stream) await sink.append(bytes as Buffer);
    } catch (error) {
      // The stream fails when the form does: then that was said before.
      this.#settle(error instanceof RefusedUpload ? error.refusal : { failed: error });
    }
  }

  #take(req: WebRequest['req'], bytes: Buffer): void {
    const { parser, rules, deps } = this.#parts;
    this.#received += bytes.length;
    if (this.#received > rules.maxBytes) return this.#settle(tooLong(rules.maxBytes));
    if (!deps.memory.charge(bytes.length)) return this.#settle(NO_MEMORY);
    this.#held += bytes.length;
    if (parser.write(bytes)) return this.#release();
    req.pause();
    parser.once('drain', () => {
      this.#release();
      req.resume();
    });
  }

  async #end(): Promise<void> {
    if (this.#file === undefined) this.#settle(badField('the form has no file').refusal);
    await this.#file;
    this.#settle('whole');
  }

  #release(): void {
    this.#parts.deps.memory.release(this.#held);
    this.#held = 0;
  }
}

/** 400, because resumable.js would send it again and again. */
export function tooLong(maxBytes: number): BodyRefusal {
  return badField(`the request has more than ${String(maxBytes)} bytes`).refusal;
}

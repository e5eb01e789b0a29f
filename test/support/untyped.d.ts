/** Packages of web applications that come without types: as much of them as the tests use. */
declare module 'passport' {
  import type { RequestHandler } from 'express';

  type Done<T> = (error: unknown, result?: T | false) => void;
  export class Passport {
    use(strategy: object): this;
    serializeUser(serialize: (user: unknown, done: Done<unknown>) => void): void;
    deserializeUser(deserialize: (user: unknown, done: Done<unknown>) => void): void;
    session(): RequestHandler;
    authenticate(strategy: string): RequestHandler;
  }
}

declare module 'passport-local' {
  export class Strategy {
    constructor(verify: (name: string, password: string, done: (error: unknown, user?: unknown) => void) => void);
  }
}

declare module 'session-file-store' {
  import type { Store } from 'express-session';
  import type session from 'express-session';

  interface FileStoreOptions {
    readonly path: string;
    readonly ttl?: number;
    readonly reapInterval?: number;
    readonly logFn?: (line: string) => void;
  }
  export default function fileStore(express: typeof session): new (options: FileStoreOptions) => Store;
}

declare module 'xhr2' {
  /** XMLHttpRequest for Node.js. */
  export class XMLHttpRequest {}
}

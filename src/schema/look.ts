/**
 * Looks: what `check` does beyond the text of a config. The keyword `looks` of a schema names one, and `worker/looks.ts` has the
 * code behind the word. A look uses the code of the start, so that both say the same, but it writes nothing, opens no port, takes
 * no lock and runs no code of the operator. Types only.
 */

/**
 * What is looked at: the keys and certificates of a `tls` section, a socket file, a static directory, the scripts of CGI, a module, the Python of a
 * worker, a cookie store, the program of a guest, what a container names, the keys of token issuers, the package that takes forms apart.
 */
export type LookWord =
  | 'tls'
  | 'socket file'
  | 'static directory'
  | 'archive'
  | 'login providers'
  | 'upload'
  | 'cgi'
  | 'module'
  | 'python'
  | 'cookie file'
  | 'cookie database'
  | 'session store'
  | 'guest'
  | 'container'
  | 'jwt';

/** What a look may use, and how it reports. */
export interface LookTools {
  /** The node directory, absolute. */
  readonly cbdir: string;
  /** Files and directories that are never served, absolute. */
  readonly privatePaths: readonly string[];
  /** The environment of the node, in which programs are found. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /**
   * Reports what keeps the node from starting.
   * @param below the keys from the value that is looked at to the one that is wrong.
   */
  readonly report: (below: readonly string[], text: string) => void;
  /** Warns of what the node starts with all the same. */
  readonly warn: (below: readonly string[], text: string) => void;
}

/** Looks at a checked value; its paths are absolute. Rejects only for a bug of ours. */
export type Look<V> = (value: V, tools: LookTools) => Promise<void>;

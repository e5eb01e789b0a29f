/**
 * The warden: one small `sh` that ends the process groups of a node when the node is gone, also after kill -9. It is told the
 * groups on its standard input; when that ends, it sends them SIGTERM, and SIGKILL two seconds later.
 *
 * It has a session of its own, so that what is sent to the group of the node does not reach it.
 */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Writable } from 'node:stream';

/** dash knows the signal only behind `-s`, and the group only behind `--`. */
const SCRIPT = `
trap '' HUP INT TERM
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) case $groups in
         *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;;
       esac ;;
  esac
done
for group in $groups; do kill -s TERM -- "-$group" 2>/dev/null; done
for second in 1 2; do
  left=
  for group in $groups; do kill -s 0 -- "-$group" 2>/dev/null && left=yes; done
  [ -z "$left" ] && exit 0
  sleep 1
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
`;

type Shell = ChildProcessByStdio<Writable, null, null>;

/** Keeps the list of the groups that may not outlive the node. */
export class Warden {
  readonly #onProblem: (problem: unknown) => void;
  readonly #groups = new Set<number>();
  #shell: Shell | undefined;
  #closed = false;

  /** @param onProblem the shell cannot be started, or was killed: until the next group nobody watches. */
  constructor(onProblem: (problem: unknown) => void) {
    this.#onProblem = onProblem;
  }

  /** The pid of the shell, while there is one. */
  get pid(): number | undefined {
    return this.#shell?.pid;
  }

  /** Puts a group on the list. Call it right after the start of the group, in the same turn. */
  guard(pgid: number): void {
    this.#groups.add(pgid);
    if (this.#shell === undefined) this.#start();
    else this.#tell(`+ ${pgid}`);
  }

  /** Takes a group off the list, when nobody of it is left: its number may be given to others. */
  release(pgid: number): void {
    if (this.#groups.delete(pgid)) this.#tell(`- ${pgid}`);
  }

  /** Sends it away; it ends what is still on the list. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#shell?.stdin.end();
  }

  #tell(line: string): void {
    if (this.#shell?.stdin.writable === true) this.#shell.stdin.write(`${line}\n`);
  }

  #start(): void {
    // It needs nothing of the environment but the way to `sleep`, and no directory: that of the node may be unmounted.
    const shell: Shell = spawn('sh', ['-c', SCRIPT], { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.#shell = shell;
    const gone = (problem: unknown): void => {
      if (this.#shell !== shell) return;
      this.#shell = undefined;
      if (!this.#closed) this.#onProblem(problem);
    };
    shell.once('error', gone);
    shell.once('exit', (code, signal) => gone(new Error(`the warden ended (${signal ?? code})`)));
    // What cannot be written is told by the end of the shell.
    shell.stdin.on('error', () => undefined);
    shell.unref();
    for (const group of this.#groups) this.#tell(`+ ${group}`);
  }
}

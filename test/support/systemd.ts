/** What stands for systemd: it listens for what a service says, and holds the sockets of one that is started again and again. */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { mailbox } from './mailbox.js';
import type { Mailbox } from './mailbox.js';
import { temporaryDirectory } from './daemon.js';

const PYTHON = '/usr/bin/python3';

/** Prints each datagram as a line of JSON. A descriptor that comes with one is closed: `systemd-notify` waits for that. */
const LISTEN = `
import json, os, socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print(json.dumps([]), flush=True)
while True:
    data, extra, _, _ = s.recvmsg(4096, 256)
    for _, kind, fds in extra:
        if kind == socket.SCM_RIGHTS:
            for fd in struct.unpack('%di' % (len(fds) // 4), fds): os.close(fd)
    print(json.dumps(data.decode().split()), flush=True)
`;

/**
 * Listens where its argument says (a path, or a port of 127.0.0.1), says so in a line, and runs the command behind it with that socket
 * as often as it gets a line; each run ends with a line, too.
 */
const HOLD = `
import json, os, socket, sys
place, name, command = sys.argv[1], sys.argv[2], sys.argv[3:]
if place.startswith('/'):
    s = socket.socket(socket.AF_UNIX); s.bind(place)
else:
    s = socket.socket(); s.bind(('127.0.0.1', int(place)))
s.listen(64)
print(json.dumps({'place': s.getsockname()}), flush=True)
for _ in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open('/dev/null', os.O_RDONLY), 0)
        if s.fileno() == 3: os.set_inheritable(3, True)
        else: os.dup2(s.fileno(), 3)
        os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=name)
        os.execvp(command[0], command)
    print(json.dumps({'pid': pid}), flush=True)
    print(json.dumps({'code': os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}), flush=True)
`;

type Line = Readonly<Record<string, unknown>>;

/** A program whose lines of JSON come one by one. */
export class Lines<T = Line> {
  readonly lines: Mailbox<T> = mailbox<T>();
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;

  constructor(program: string, args: readonly string[]) {
    this.#child = spawn(PYTHON, ['-c', program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.lines.put(JSON.parse(line) as T));
  }

  /** @returns the next line for which this is so; those before it are dropped. */
  async next(isIt: (line: T) => boolean): Promise<T> {
    for (;;) {
      const line = await this.lines.take();
      if (isIt(line)) return line;
    }
  }

  send(): void {
    this.#child.stdin.write('\n');
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** Listens as systemd does where `NOTIFY_SOCKET` says. The lines are the assignments of one message. */
export async function notifySocket(): Promise<{ readonly file: string; readonly said: Lines<readonly string[]> }> {
  const file = path.join(temporaryDirectory(), 'notify');
  const said = new Lines<readonly string[]>(LISTEN, [file]);
  await said.lines.take();
  return { file, said };
}

/** Holds a socket, at a path or on a free port, for a command that is run when {@link Lines.send} says so. */
export async function heldSocket(
  place: string,
  name: string,
  command: readonly string[],
): Promise<{ readonly place: unknown; readonly held: Lines }> {
  const held = new Lines(HOLD, [place, name, ...command]);
  return { place: (await held.lines.take())['place'], held };
}

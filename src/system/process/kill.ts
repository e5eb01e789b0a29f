/** The hard end of one process. */
import process from 'node:process';

/** Kills a process that does not hear any more. Without effect where it is gone. */
export function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // There is no such process any more.
  }
}

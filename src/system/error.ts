/** What the system, or anybody else, threw: its word for what went wrong, and its text. */

/** @returns the code of an error of Node.js or the system, like `ENOENT` or `EADDRINUSE`; undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** @returns the text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

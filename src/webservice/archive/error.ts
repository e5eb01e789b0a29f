/** Errors about archives. */

/** What is wrong with an archive, or with getting it. The message follows the name of the file and a colon. */
export class ArchiveError extends Error {
  readonly code = 'ERR_ARCHIVE';
  override readonly name = 'ArchiveError';
}

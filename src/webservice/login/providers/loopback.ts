/** Which hosts are this machine. Pure. */

/**
 * @param hostname as `URL` has it: in lower case, an IPv6 address in brackets.
 * @returns whether nothing that is sent there leaves the machine.
 */
export function isLoopbackHost(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

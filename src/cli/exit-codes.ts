/** Exit codes beside 0 and 1, with the numbers of `sysexits.h`, which Crossbar.io uses too. */

/** No node runs, or it is not in the state that was asserted. */
export const EX_UNAVAILABLE = 69;
/** The node belongs to another user. */
export const EX_NOPERM = 77;

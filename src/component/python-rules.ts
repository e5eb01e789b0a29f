/** Which components are Python. */
const IN_PYTHON: readonly string[] = ['class', 'function'];

/** @param type of a component. @returns whether it is Python. */
export function runsPython(type: string): boolean {
  return IN_PYTHON.includes(type);
}

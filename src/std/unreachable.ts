/** Closes a union: adding a member breaks the build wherever it is not handled. */
export function unreachable(value: never): never {
  throw new TypeError(`Unhandled case: ${JSON.stringify(value)}`);
}

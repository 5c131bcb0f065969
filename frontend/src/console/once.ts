/** What follows from something that never changes, found once. */
export function once<A extends object, R>(find: (of: A) => R): (of: A) => R {
  const known = new WeakMap<A, R>();
  return (of) => {
    if (!known.has(of)) known.set(of, find(of));
    return known.get(of)!;
  };
}

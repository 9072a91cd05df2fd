/**
 * A cycle among steps that wait for each other, in the order of waiting.
 *
 * @param needs for each step the steps that it waits for; unknown names are ignored
 * @returns undefined when the steps can be done in some order
 * @example
 * findCycle(new Map([['a', ['b']], ['b', ['c']], ['c', ['b']]])) // ['b', 'c']
 * findCycle(new Map([['a', []], ['b', ['a']]])) // undefined
 */
export function findCycle(needs: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): readonly string[] | undefined => {
    if (done.has(name)) return undefined;
    if (path.includes(name)) return path.slice(path.indexOf(name));
    path.push(name);
    for (const need of needs.get(name) ?? []) {
      const cycle = visit(need);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(name);
    return undefined;
  };
  for (const name of needs.keys()) {
    const cycle = visit(name);
    if (cycle) return cycle;
  }
  return undefined;
}

/** The items that `holds` needs: groups that can go are dropped together, so those that matter cost `log2(n)` each. */
export async function needed<T>(
  items: readonly T[],
  holds: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let kept = items;
  const drop = async (group: readonly T[]): Promise<void> => {
    const without = kept.filter((item) => !group.includes(item));
    if (await holds(without)) {
      kept = without;
      return;
    }
    if (group.length === 1) return;
    const half = group.length >> 1;
    await drop(group.slice(0, half));
    await drop(group.slice(half));
  };
  if (items.length > 0) await drop(items);
  return kept;
}

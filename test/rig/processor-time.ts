/** Starts a watch that runs only while this process works: milliseconds, on a machine that is busy with others, too. */
export function processorTime(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
}

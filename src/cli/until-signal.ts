/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
}

/** Resolves when the program that started this one with a channel is gone; never for one that a person started. */
export function untilOrphaned(): Promise<'orphaned'> {
  return new Promise((resolve) => {
    if (!process.connected) return;
    process.once('disconnect', () => resolve('orphaned'));
    // Listening alone must not keep this program alive.
    process.channel?.unref();
  });
}
